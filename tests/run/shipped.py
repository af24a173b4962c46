#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The shipped configuration: every section is valid and asks the provider's own endpoint; answers in the providers' formats, and the
recorded ones, go through the sections as they are, with base_url alone changed; the catalogue names what the sections fetch. TAP on
standard output."""
import csv
import re
import sys

import recordings
import support
from support import Answer, TOP

# What each section asks first: the endpoints of the providers.
WB = "https://api.worldbank.org/v2/country/"
D360 = "https://data360files.worldbank.org/data360-data/data/"
UNCTAD = "https://unctadstat-api.unctad.org/api/reportMetadata/"
ENDPOINTS = {
    "worldbank": WB + "all/indicator/IQ.SPI.OVRL;IT.NET.USER.ZS;",
    "worldbank-wgi": WB + "all/indicator/GOV_WGI_GE.SC;GOV_WGI_RQ.SC;GOV_WGI_RL.SC;GOV_WGI_CC.SC?format=json&source=3&",
    "worldbank-findex": WB + "all/indicator/account.t.d;",
    "worldbank-enterprise": WB + "all/indicator/IC.FRM.WEB.ZS;IC.FRM.EMAIL.ZS?format=json&source=13&",
    "worldbank-id4d": WB + "all/indicator/ID.OWN.TOTL.ZS;ID.DIG.AUTH?format=json&source=89&",
    "quickstart": WB + "BEN;BFA;CIV;GNB;MLI;NER;SEN;TGO/indicator/IT.NET.USER.ZS;IT.CEL.SETS.P2;NY.GDP.PCAP.CD?format=json&source=2&",
    "owid-life-expectancy": "https://ourworldindata.org/grapher/life-expectancy.csv?v=1&csvType=full&useColumnShortNames=true",
    "data360-itu": D360 + "ITU_DH/ITU_DH_INT_USER_PT.csv",
    "data360-gci": D360 + "ITU_GCI/ITU_GCI_GCI_OVRL_SCRE.csv",
    "data360-unctad": D360 + "UNCTAD_DE/UNCTAD_DE_DIG_SERVTRADE_ANN_EXP.csv",
    "data360-uis": D360 + "UNESCO_UIS/UNESCO_UIS_GRAD_STEM.csv",
    "data360-wipo": D360 + "WIPO_ICT/WIPO_ICT_PAT_PUB_TOT.csv",
    "unctadstat-gdp": "https://unctadstat-api.unctad.org/bulkdownload/US.GDPTotal/US_GDPTotal",
    "unctadstat-pci": UNCTAD + "US.PCI/en",
    "unctadstat-ftri": UNCTAD + "US.FTRI/en",
    "unctadstat-lsci": UNCTAD + "US.LSCI/en",
    "unctadstat-portcalls": UNCTAD + "US.PortCalls/en",
    "unctadstat-ictuse": UNCTAD + "US.IctUseEconActivity/en",
    "unctadstat-ecommerce": UNCTAD + "US.ECommerceTotal/en",
    "unctadstat-dds": UNCTAD + "US.DigitallyDeliverableServices/en",
    "unctadstat-dds-bulk": UNCTAD + "US.DigitallyDeliverableServices/en",
    "cyberlaw": "https://raw.githubusercontent.com/unctad-infovis/2026-cyberlaw_tracker/main/public/assets/data/data.csv",
    "data360-itu-skills": D360 + "ITU_DH/ITU_DH_SKLS_INF_DATA.csv",
    "national": "https://statistics.example.org/ecommerce-strategy.csv",
    "bceao": "https://edenpub.bceao.int",
    "egdi": "https://publicadministration.un.org/egovkb/en-us/Data-Center",
    "lpi": "https://lpi.worldbank.org/International_LPI_from_2007_to_2023.csv",
    "itu-internet": "https://api.datahub.itu.int/v2/data/download?codesid=11624",
    "ecb": "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist-90d.xml",
    "ecb-daily": "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml",
    "ecb-history": "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip",
    "eurostat": "https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1/data/isoc_ci_ifp_iu?format=TSV&compressed=true",
    "eurostat-internet-use": "https://ec.europa.eu/eurostat/api/dissemination/statistics/1.0/data/isoc_ci_ifp_iu?format=JSON&lang=en"
                             "&indic_is=I_IU3&indic_is=I_IUEVR&unit=PC_IND&ind_type=IND_TOTAL",
    "ssb-norway": "https://data.ssb.no/api/v0/en/table/07459",
    "cso-ireland": "https://ws.cso.ie/public/api.restful/PxStat.Data.Cube_API.ReadDataset/PEA01/JSON-stat/2.0/en",
    "dst-denmark": "https://api.statbank.dk/v1/data/HISB3/JSONSTAT?lang=en&BEV%C3%86GELSE=",
    "itu-baskets": "https://www.itu.int/en/ITU-D/Statistics/Documents/publications/prices2024/ITU_ICTPriceBaskets_2008-2024.xlsx",
    "gtmi": "https://datacatalogfiles.worldbank.org/ddh-published/0037889/GTMI.xlsx",
    "upu": "https://statistics.example.org/2IPD.xlsx",
    "gsma-mci": "https://statistics.example.org/MCI.xlsx",
    "nri": "https://statistics.example.org/NRI.xlsx",
    "sdmx-ecb-exr": "https://data-api.ecb.europa.eu/service/data/EXR/D.USD+XOF.EUR.SP00.A",
    "sdmx-oecd-broadband": "https://sdmx.oecd.org/public/rest/data/",
    "sdmx-bis-cbpol": "https://stats.bis.org/api/v1/data/BIS,WS_CBPOL,1.0/M.",
    "sdmx-imf-weo": "https://api.imf.org/external/sdmx/2.1/data/IMF.RES,WEO/TGO+BEN.NGDPD.A",
    "sdmx-ilo-neet": "https://sdmx.ilo.org/rest/data/ILO,DF_EIP_NEET_SEX_RT/",
    "sdmx-unicef": "https://sdmx.data.unicef.org/ws/public/sdmxapi/rest/data/UNICEF,GLOBAL_DATAFLOW,1.0/",
    "sdmx-undata-sdg": "https://data.un.org/ws/rest/data/IAEG-SDGs,DF_SDG_GLH,1.8/",
    "sdmx-insee-ipi": "https://bdm.insee.fr/series/sdmx/data/IPI-2010-A21/",
    "sdmx-istat": "https://esploradati.istat.it/SDMXWS/rest/data/47_850/",
    "sdmx-abs-cpi": "https://data.api.abs.gov.au/rest/data/ABS,CPI/",
    "sdmx-wb-wdi": "https://api.worldbank.org/v2/sdmx/rest/data/WDI/A.IT_NET_USER_ZS.TGO+BEN/",
    "sdmx-wits": "https://wits.worldbank.org/API/V1/SDMX/V21/rest/data/DF_WITS_Tariff_TRAINS/",
    "galicia": "https://json-stat.org/samples/galicia.json",
    "unsdg": "https://unstats.un.org/SDGAPI/v1/sdg/Series/Data?seriesCode=SE_ADT_ACTS&pageSize=1000&page=1",
    "gho": "https://ghoapi.azureedge.net/api/WHOSIS_000001",
    "data360-api": "https://data360api.worldbank.org/data360/data?DATABASE_ID=WB_WDI&INDICATOR=WB_WDI_IT_NET_USER_ZS&skip=0",
    "comtrade": "https://comtradeapi.un.org/data/v1/get/C/A/HS?reporterCode=768&partnerCode=0&flowCode=M,X&cmdCode=TOTAL&period=2018",
    "wto": "https://api.wto.org/timeseries/v1/data?i=ITS_CS_AM6&r=all&p=000&ps=all&max=1000000&fmt=json&mode=full&head=M&lang=1",
    "dbnomics": "https://api.db.nomics.world/v22/series/CEPII/CHELEM-TRADE-CHEL/AES.AES.CAT.?observations=1&limit=1000&offset=0",
    "imf-datamapper": "https://www.imf.org/external/datamapper/api/v1/NGDP_RPCH",
    "pip": "https://api.worldbank.org/pip/v1/pip?country=all&year=all&fill_gaps=false",
    "uis": "https://api.uis.unesco.org/api/public/data/indicators?indicator=CR.1",
    "ilostat": "https://rplumber.ilo.org/data/indicator/?id=UNE_DEAP_SEX_AGE_RT_A&type=code&format=.csv.gz",
    "faostat": "https://bulks-faostat.fao.org/production/Population_E_All_Data_(Normalized).zip",
    "gho-athena": "https://apps.who.int/gho/athena/data/data-coded.csv?target=GHO/SA_0000001398",
}
DATA360 = ("STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,INDICATOR,SEX,AGE,URBANISATION,UNIT_MEASURE,COMP_BREAKDOWN_1,COMP_BREAKDOWN_2,"
           "COMP_BREAKDOWN_3,TIME_PERIOD,OBS_VALUE,UNIT_MULT,OBS_STATUS,OBS_CONF\n"
           'DATASTRUCTURE,WB.DATA360:DS_DATA360(1.2),I,A,TGO,{0},_T,_T,_T,PT,_Z,_Z,_Z,2021,35.2,0,A,PU\n'
           'DATASTRUCTURE,WB.DATA360:DS_DATA360(1.2),I,A,TGO,{0},F,_T,_T,PT,_Z,_Z,_Z,2021,30.05,0,E,PU\n')
ALL = "SEX={};AGE=_T;URBANISATION=_T;COMP_BREAKDOWN_1=_Z;COMP_BREAKDOWN_2=_Z;COMP_BREAKDOWN_3=_Z"
EURO = ('<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
        'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><gesmes:subject>Reference rates</gesmes:subject><Cube>'
        "<Cube time='2026-04-13'><Cube currency='USD' rate='1.1684'/></Cube></Cube></gesmes:Envelope>")
EGDI = ("Survey Year,Country Name,E-Government Rank,E-Government Index,E-Participation Index,Online Service Index,Human Capital Index,"
        "Telecommunication Infrastructure Index\n2018,Togo ,138,0.3989,0.4382,0.5556,0.5058,0.1353\n"
        "2018,Georgia (Country) ,60,0.6893,0.6236,0.6944,0.8333,0.5403\n")
OWID = "Entity,Code,Year,life_expectancy_0\nTogo,TGO,2021,61.6193\nWorld,OWID_WRL,2021,71.0461\nAfrica,,2021,61.6627\n"


def dims(sex):
    return ";".join(sorted(ALL.format(sex).split(";")))


# By section: what the provider sends (path -> answer), columns of the export, rows.
FIXTURES = {
    "data360-itu": (lambda t: Answer(DATA360.format(t.split("/")[-1][:-4]), "text/csv"), "indicator area dims period value unit status",
                    sorted(f"{i} TGO {dims(s)} 2021 {v}" for i in (
                        "ITU_DH_INT_USER_PT ITU_DH_HH_INT ITU_DH_HH_COMP ITU_DH_ACT_MOB_PER_100 ITU_DH_POP_COV_3G ITU_DH_POP_COV_4G "
                        "ITU_DH_POP_COV_5G ITU_DH_INT_BAND_PER_INT_USR").split() for s, v in (("_T", "35.2 PT A"), ("F", "30.05 PT E")))),
    "data360-wipo": ({"/WIPO_ICT/WIPO_ICT_PAT_PUB_TOT.csv": Answer(DATA360.format("WIPO_ICT_PAT_PUB_TOT"), "text/csv")},
                     "dataset indicator area value", ["WIPO_ICT WIPO_ICT_PAT_PUB_TOT TGO 30.05", "WIPO_ICT WIPO_ICT_PAT_PUB_TOT TGO 35.2"]),
    "ecb": ({"/eurofxref-hist-90d.xml": Answer(EURO, "text/xml")}, "area dims freq period value unit",
            ["ECB:U2 CURRENCY=USD;CURRENCY_DENOM=EUR D 2026-04-13 1.1684 USD"]),
    "ecb-daily": ({"/eurofxref-daily.xml": Answer(EURO, "text/xml")}, "period value", ["2026-04-13 1.1684"]),
    "egdi": (lambda t: Answer(EGDI, "text/csv"), "indicator area period value", sorted(
        f"{i} {a} 2018 {v}" for a, vs in (("TGO", "0.3989 0.4382 0.5556 0.5058 0.1353"), ("GEO", "0.6893 0.6236 0.6944 0.8333 0.5403"))
        for i, v in zip("EGDI EPI OSI HCI TII".split(), vs.split()))),
    "owid-life-expectancy": ({"/life-expectancy.csv?v=1&csvType=full&useColumnShortNames=true": Answer(OWID, "text/csv")},
                             "indicator area area_code period value",
                             ["life_expectancy_0 M49:001 OWID_WRL 2021 71.0461", "life_expectancy_0 TGO TGO 2021 61.6193",
                              "life_expectancy_0 OWID:Africa Africa 2021 61.6627"]),
}
# By section: the recorded file, its path at the provider (None: any), how many rows (the facts and independent readings are in recorded.py).
RECORDED = {
    "unctadstat-gdp": ("unctad/US_GDPTotal.csv", "/US.GDPTotal/US_GDPTotal", lambda b: support.seven_zip("US_GDPTotal.csv", b), 4 * 16126),
    "lpi": ("lpi/International_LPI_from_2007_to_2023.csv", "/International_LPI_from_2007_to_2023.csv", bytes, 7 * 139),
    "itu-internet": ("itu/individuals-using-the-internet.csv", "/download?codesid=11624", bytes, 4906),
    "pip": ("worldbank/pip_AGO_all.json", None, bytes, 5 * 3),
    "ilostat": ("ilo/rplumber_UNE_DEAP_SEX_AGE_RT_A.csv", None, bytes, 52),
    "gho-athena": ("who_gho/SA_0000001398.csv", None, bytes, 723),
    "galicia": ("jsonstat/galicia.json", "/galicia.json", bytes, 3956),
    "ecb-history": ("ecb/eurofxref-hist.zip", "/eurofxref-hist.zip", bytes, 217555),
}


def sections():
    """Every section of conf/sources.d as it is written: name -> text."""
    text = "\n".join(f.read_text() for f in sorted((TOP / "conf/sources.d").glob("*.conf")))
    return {m.group(1): m.group(0) for m in re.finditer(r"^\[source ([^\]]+)\]\n(?:(?![\[#]).*\n?)*", text, re.M)}


def pointed(text, url):
    """The section with base_url alone changed, enabled."""
    text = re.sub(r"^(enabled|base_url|rate)\s*=.*\n", "", text, flags=re.M)
    return text.rstrip() + f"\nbase_url = {url}\nrate = 500/s\n"


def endpoints(suite, found):
    code, out, err = suite.site("conf", "".join(re.sub(r"^enabled.*\n", "", t, flags=re.M) for t in found.values())).glane("check", "--conf")
    suite.same("every section is valid, the disabled ones too", (code, f"{len(found)} sources" in out), (0, True)) or print("#", err)
    suite.same("every section has its endpoint in this test", sorted(found), sorted(ENDPOINTS))
    site = suite.site("dry", "".join(re.sub(r"^enabled.*\n", "", t, flags=re.M) for t in found.values()))
    code, out, err = site.glane("run", "--dry-run", "--all")
    first = dict(re.findall(r"^(\S+) +would ask.*\n  (?:GET|POST) (\S+)", out, re.M))
    for name, url in ENDPOINTS.items():
        suite.true(f"{name} asks the provider", first.get(name, "").startswith(url), f"{first.get(name)}\nwant {url}\n{err[-500:]}")


def replay(suite, name, text, answers, columns, want):
    with support.Server(answers) as server:
        site = suite.site(name, pointed(text, server.url))
        run = site.run()
        suite.same(f"{name}: {'recorded' if want is None else 'an'} answer in the provider's format", (run.code, run.verdicts), (0, {name: "ok"})) or print(
            "#", run.sources.get(name, {}).get("message"), run.err)
        return site


def one_indicator_left(suite, text):
    """The section with all its indicators, at a provider that knows only one of them: that one is committed."""
    if not (support.PAYLOADS / "worldbank/SP.POP.TOTL_all_countries.json").is_file():
        return suite.skip("worldbank: the recorded answer", "no recorded payloads beside the project")
    body = (support.PAYLOADS / "worldbank/SP.POP.TOTL_all_countries.json").read_bytes()
    with support.Server(recordings.world_bank_pages("/country/all/indicator/SP.POP.TOTL")(body)) as server:
        site = suite.site("worldbank", pointed(text, server.url))
        run = site.run()
        suite.same("worldbank: codes that are gone cost only their own slices", (run.code, run.verdicts), (1, {"worldbank": "partial"}))
        suite.same("worldbank: and the one that is there has every row", len(site.export("--catalogue", "population")), 14885)
    return None


def catalogue(suite, found):
    lines = [line for line in (TOP / "conf/catalogue.csv").read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    suite.same("the catalogue has its 117 rows", sorted({int(r["number"]) for r in rows}), list(range(1, 118)))
    missing = []
    for r in rows:
        text = found.get(r["source"])
        if text and r["source"].startswith(("worldbank", "data360", "unsdg")) and not r["indicator"].endswith("*"):
            missing += [r["id"]] if r["indicator"] not in re.split(r"\s+", text) else []
    suite.same("what the catalogue wants of a section, the section asks for", missing, [])
    body = "iso,year,GDP,POP\nTGO,2020,1.50,8\nBEN,2020,2,9\n"
    with support.Server({"/a.csv": Answer(body, "text/csv")}) as server:
        site = suite.site("catalogue", f"[source worldbank]\nplugin = csv\nbase_url = {server.url}\nfiles = a.csv\ndataset = WDI\narea = iso\n"
                          "period = year\nvalue = NY.GDP.PCAP.CD=GDP SP.POP.TOTL=POP\n")
        site.run()
    suite.same("export --catalogue: one indicator", site.short("indicator area", "--catalogue", "gdp-per-capita"),
               ["NY.GDP.PCAP.CD BEN", "NY.GDP.PCAP.CD TGO"])
    suite.same("export --catalogue: any of several, with other filters",
               site.short("indicator area", "--catalogue", "gdp-per-capita", "--catalogue=population", "--area", "TGO"),
               ["NY.GDP.PCAP.CD TGO", "SP.POP.TOTL TGO"])
    suite.same("export --catalogue: an indicator without rows", site.short("indicator", "--catalogue", "egdi"), [])
    code, out, err = site.glane("export", "--catalogue", "gdp")
    suite.true("export --catalogue: an unknown id is a usage error that says where to look",
               code == 2 and not out and "'gdp'" in err and "catalogue.csv" in err, (code, out, err))


def main():
    suite = support.Suite("shipped")
    found = sections()
    endpoints(suite, found)
    for name, (answers, columns, want) in FIXTURES.items():
        site = replay(suite, name, found[name], answers, columns, want)
        suite.same(f"{name}: its rows", sorted(site.short(columns)), sorted(want))
    for name, (file, path, pack, n) in RECORDED.items():
        if not (support.PAYLOADS / file).is_file():
            suite.skip(f"{name}: the recorded answer", "no recorded payloads beside the project")
            continue
        answer = Answer(pack((support.PAYLOADS / file).read_bytes()), "application/octet-stream")
        site = replay(suite, name, found[name], {path: answer} if path else lambda t: answer, "", None)
        suite.same(f"{name}: every row of {file}", len(site.export()), n)
    one_indicator_left(suite, found["worldbank"])
    catalogue(suite, found)
    return suite.finish()


sys.exit(main())
