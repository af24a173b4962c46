# SPDX-License-Identifier: MIT
"""Messages of any size in the forms of SDMX, JSON-stat, PC-Axis, Eurostat's TSV and JSON: series of 40 years, each of its own area and indicator."""
from measure import _endless, _fill, code, number

YEARS = [str(y) for y in range(1980, 2020)]


def _series():
    for k in _endless():
        yield k, code(k % 17576), f"I{k // 17576}"


def sdmx_generic(path, size):
    head = ('<?xml version="1.0" encoding="UTF-8"?><m:GenericData xmlns:m="m" xmlns:g="g" xmlns:c="c"><m:Header><m:ID>x</m:ID><m:Structure '
            'structureID="S" dimensionAtObservation="TIME_PERIOD"><c:Structure><Ref id="BIG"/></c:Structure></m:Structure></m:Header><m:DataSet>')
    chunks = ('<g:Series><g:SeriesKey><g:Value id="FREQ" value="A"/><g:Value id="REF_AREA" value="%s"/><g:Value id="INDICATOR" value="%s"/>'
              '</g:SeriesKey>%s</g:Series>' % (area, indicator, "".join(
                  '<g:Obs><g:ObsDimension value="%s"/><g:ObsValue value="%s"/><g:Attributes><g:Value id="OBS_STATUS" value="A"/></g:Attributes>'
                  '</g:Obs>' % (y, number(k + i)) for i, y in enumerate(YEARS))) for k, area, indicator in _series())
    return _fill(path, size, head, chunks, "</m:DataSet></m:GenericData>")


def sdmx_specific(path, size):
    head = '<m:StructureSpecificData xmlns:m="m"><m:Header><m:ID>x</m:ID></m:Header><m:DataSet>'
    chunks = ('<Series FREQ="A" REF_AREA="%s" INDICATOR="%s">%s</Series>' % (area, indicator, "".join(
        '<Obs TIME_PERIOD="%s" OBS_VALUE="%s" OBS_STATUS="A"/>' % (y, number(k + i)) for i, y in enumerate(YEARS)))
        for k, area, indicator in _series())
    return _fill(path, size, head, chunks, "</m:DataSet></m:StructureSpecificData>")


def sdmx_csv(path, size):
    chunks = ("".join("AG:BIG(1.0),A,%s,%s,%s,%s,A\n" % (area, indicator, y, number(k + i)) for i, y in enumerate(YEARS))
              for k, area, indicator in _series())
    return _fill(path, size, "DATAFLOW,FREQ,REF_AREA,INDICATOR,TIME_PERIOD,OBS_VALUE,OBS_STATUS\n", chunks)


def sdmx_json(path, size):
    """Series of 26 x 26 x 26 areas and of indicators, by their indexes."""
    areas = ",".join('{"id":"%s"}' % code(k) for k in range(17576))
    indicators = ",".join('{"id":"I%d"}' % k for k in range(200))
    years = ",".join('{"id":"%s"}' % y for y in YEARS)
    head = ('{"structure":{"dimensions":{"series":[{"id":"REF_AREA","values":[%s]},{"id":"INDICATOR","values":[%s]}],"observation":[{"id":'
            '"TIME_PERIOD","values":[%s]}]},"attributes":{"observation":[{"id":"OBS_STATUS","values":[{"id":"A"}]}]}},"dataSets":[{"series":{'
            '"0:199":{"observations":{}}' % (areas, indicators, years))
    chunks = (',"%d:%d":{"observations":{%s}}' % (k % 17576, k // 17576, ",".join(
        '"%d":[%s,0]' % (i, number(k + i)) for i in range(len(YEARS)))) for k in _endless())
    return _fill(path, size, head, chunks, "}}]}")


def tsv(path, size):
    chunks = ("A,%s,%s\t%s\n" % (indicator, area, "\t".join(number(k + i) + (" p" if i % 7 == 0 else " ") for i in range(len(YEARS))))
              for k, area, indicator in _series())
    return _fill(path, size, "freq,indic_is,geo\\TIME_PERIOD\t" + "\t".join(y + " " for y in YEARS) + "\n", chunks)


def px(path, size):
    """The number of areas is said before the cells: as many as the size needs, of 50 indicators and 40 years."""
    rows = ["%s \n" % " ".join(number(k + i) for i in range(len(YEARS))) for k in range(50)]
    n = size // len("".join(rows)) + 1

    def texts(items):
        return ",".join('"%s"' % i for i in items)
    head = (f'MATRIX="BIG";STUB="geo","what";HEADING="t";CONTVARIABLE="what";VALUES("geo")={texts(f"A{k}" for k in range(n))};'
            f'VALUES("what")={texts(f"I{k}" for k in range(50))};VALUES("t")={texts(YEARS)};TIMEVAL("t")=TLIST(A1,"1980"-"2019");DATA=\n')
    return _fill(path, size + len(head), head, ("".join(rows) for _ in range(n)), ";\n")


def sdg(path, size):
    chunks = (",".join('{"series":"%s","geoAreaCode":"%s","timePeriodStart":%s,"value":"%s","dimensions":{"Sex":"FEMALE","Age":"15+"}}' % (
        indicator, area, y, number(k + i)) for i, y in enumerate(YEARS)) + "," for k, area, indicator in _series())
    return _fill(path, size, '{"totalPages":1,"data":[', chunks, '{"series":"I0","geoAreaCode":"ZZZ","timePeriodStart":2000,"value":"1"}]}')


JOBS = {  # name: (maker, plugin, options of the plugin)
    "sdmx generic": (sdmx_generic, "sdmx", ["--area_scheme=LOCAL"]),
    "sdmx structure-specific": (sdmx_specific, "sdmx", ["--dataset=BIG", "--area_scheme=LOCAL"]),
    "sdmx csv": (sdmx_csv, "sdmx", ["--area_scheme=LOCAL"]),
    "sdmx json": (sdmx_json, "sdmx", ["--dataset=BIG", "--area_scheme=LOCAL"]),
    "px": (px, "jsonstat", ["--px=yes", "--area_scheme=LOCAL"]),
    "tsv": (tsv, "eurostat", ["--datasets=BIG"]),
    "json": (sdg, "json", ["--dataset=SDG", "--select=data.*", "--indicator=series", "--area=geoAreaCode", "--area_scheme=LOCAL",
                           "--period=timePeriodStart", "--value=value", "--dims=*=dimensions"]),
}
