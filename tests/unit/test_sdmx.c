/* SPDX-License-Identifier: MIT */
/* SDMX messages: the same observations in every form and layout give the same records; what is refused, every cut, every split, want of
 * memory. Figures: European Central Bank, reference rates of the New Zealand dollar and the Russian rouble, January 2013. */
#include "read/sdmx.h"

#include "support/families.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A line for each observation, by the ids of its components, whatever their columns. */
static glane_rc read_all(const void *arg, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	static const char *const ids[] = {
		"#dataset", "#action", "FREQ", "CURRENCY", "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "UNIT_MULT"};
	static const char *const texts[] = {"OBS_COM", "TITLE"};
	static const char *const dimensions[] = {"FREQ", "CURRENCY", "TIME_PERIOD"};
	static const char *const heads[] = {"#footer", "#poll"};
	const struct record_options o = {.format = GLANE_FMT_SDMX,
		.field = arg ? dimensions : NULL,
		.n_field = arg ? 3 : 0,
		.head = heads,
		.n_head = arg ? 2 : 0};
	struct record_reader *r = NULL;
	struct payload p;
	glane_rc rc;

	payload_memory(&p, doc, step, d);
	rc = record_open(&r, &p, &o, d);
	while (rc == GLANE_OK && (rc = record_next(r)) == GLANE_OK) {
		for (size_t i = 0; i < COUNT(ids); i++) {
			const struct slice s = record_get(r, ids[i]);

			strbuf_puts(out, i ? " " : "");
			strbuf_puts(out, s.p ? "" : "~");
			strbuf_slice(out, s);
		}
		for (size_t i = 0; i < COUNT(texts); i++) {
			const struct slice s = record_get(r, texts[i]);

			if (s.p)
				strbuf_fmt(out, " %s '%.*s'", texts[i], SLICE_FMT(s));
		}
		if (record_get(r, "type").p)
			strbuf_puts(out, " (the type of a group is no component)");
		for (size_t i = 0; i < record_columns(r); i++)
			if (record_role(r, i) == GLANE_ROLE_DIMENSION && record_at(r, i).p &&
				!slice_is(record_column(r, i), "FREQ") && !slice_is(record_column(r, i), "CURRENCY"))
				strbuf_fmt(out, " (dimension %.*s)", SLICE_FMT(record_column(r, i)));
		for (size_t i = 0; i < record_columns(r); i++) /* what is said by id and by column is the same */
			if (record_role(r, i) == GLANE_ROLE_MEASURE &&
				!slice_eq(record_at(r, i), record_get(r, "OBS_VALUE")))
				strbuf_puts(out, " (another value by column)");
		strbuf_putc(out, '\n');
	}
	for (size_t i = 0; r && rc == GLANE_END && i < o.n_head; i++)
		if (record_head(r, i).p)
			strbuf_fmt(out, "%s %.*s\n", heads[i], SLICE_FMT(record_head(r, i)));
	if (r)
		record_close(r);
	payload_close(&p);
	return rc;
}

struct form {
	const char *name, *doc, *want;
	const void *arg; /* not NULL: with the ids of the dimensions, and heads */
};
#define MES "xmlns:m=\"http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message\""
#define HEADER(more) "<m:Header><m:ID>x</m:ID><m:Prepared>2013-03-11</m:Prepared>" more "</m:Header>"
#define REF                                                                                                            \
	"<m:Structure structureID=\"S\" dimensionAtObservation=\"TIME_PERIOD\"><c:Structure><Ref agencyID=\"ECB\" "    \
	"id=\"EXR\"/>"                                                                                                 \
	"</c:Structure></m:Structure>"
#define EXPLICIT                                                                                                       \
	"<m:Structure structureID=\"S\" dimensionAtObservation=\"CURRENCY\" explicitMeasures=\"true\">"                \
	"<c:StructureUsage><Ref agencyID=\"ECB\" id=\"EXR\"/></c:StructureUsage></m:Structure>"
#define URN_TEXT                                                                                                       \
	"<m:Structure structureID=\"S\" dimensionAtObservation=\"TIME_PERIOD\">\n<c:StructureUsage>"                   \
	"urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=ECB:EXR(1.0)</c:StructureUsage>\n</m:Structure>"
#define FOUR(action)                                                                                                   \
	"EXR " action " D NZD 2013-01-18 1.5931 A 0\nEXR " action " D NZD 2013-01-21 1.5925 A 0\n"                     \
	"EXR " action " D RUB 2013-01-18 40.3426 A 0\nEXR " action " D RUB 2013-01-21 40.3000 E 0\n"
#define V(id, value) "<g:Value id=\"" id "\" value=\"" value "\"/>"
#define C(id, value) "<g:Value concept=\"" id "\" value=\"" value "\"/>"
#define OBS(day, value, status)                                                                                        \
	"<g:Obs><g:ObsDimension value=\"" day "\"/><g:ObsValue value=\"" value                                         \
	"\"/><g:Attributes>" V("OBS_STATUS", status) "</g:Attributes></g:Obs>"
#define FLAT(cur, day, value, status)                                                                                  \
	"<g:Obs><g:ObsKey>" V("FREQ", "D") V("CURRENCY", cur)                                                          \
		V("TIME_PERIOD", day) "</g:ObsKey><g:ObsValue value=\"" value                                          \
				      "\"/><g:Attributes>" V("OBS_STATUS", status)                                     \
					      V("UNIT_MULT", "0") "</g:Attributes></g:Obs>"
#define SS(cur, day, value, status)                                                                                    \
	"<Obs FREQ=\"D\" CURRENCY=\"" cur "\" TIME_PERIOD=\"" day "\" OBS_VALUE=\"" value "\" OBS_STATUS=\"" status    \
	"\" UNIT_MULT=\"0\"/>"
#define O(day, value, status) "<Obs TIME_PERIOD=\"" day "\" OBS_VALUE=\"" value "\" OBS_STATUS=\"" status "\"/>"
#define PAIR(one, two) one("2013-01-18", "1.5931", "A") one("2013-01-21", "1.5925", "A") two
#define SERIES_2_0(cur, a, b, status)                                                                                  \
	"<g:Series><g:SeriesKey>" C("FREQ", "D") C("CURRENCY", cur) "</g:SeriesKey><g:Attributes>" C("UNIT_MULT",      \
		"0") "</g:Attributes><g:Obs><g:Time>2013-01-18</g:Time><g:ObsValue value=\"" a                         \
		     "\"/><g:Attributes>" C("OBS_STATUS",                                                              \
			     "A") "</g:Attributes></g:Obs><g:Obs><g:Time>2013-01-21</g:Time><g:ObsValue value=\"" b    \
				  "\"/><g:Attributes>" C("OBS_STATUS", status) "</g:Attributes></g:Obs></g:Series>"
#define J_DIMS                                                                                                         \
	"\"dimensions\":{\"dataSet\":[{\"id\":\"FREQ\",\"values\":[{\"id\":\"D\",\"name\":\"Daily\"}]}],\"series\":[{" \
	"\"id\":"                                                                                                      \
	"\"CURRENCY\",\"values\":[{\"id\":\"NZD\",\"name\":\"New Zealand "                                             \
	"dollar\"},{\"id\":\"RUB\",\"name\":\"Russian rouble\"}]}],"                                                   \
	"\"observation\":[{\"id\":\"TIME_PERIOD\",\"role\":\"time\",\"values\":[{\"id\":\"2013-01-18\"},{\"id\":"      \
	"\"2013-01-21\"}]}]}"
#define J_ATTRS                                                                                                        \
	"\"attributes\":{\"dataSet\":[{\"id\":\"UNIT_MULT\",\"values\":[{\"id\":\"0\"}]}],\"series\":[],"              \
	"\"observation\":[{\"id\":"                                                                                    \
	"\"OBS_STATUS\",\"values\":[{\"id\":\"A\"},{\"id\":\"E\"}]}]}"
#define J_LINK                                                                                                         \
	"\"links\":[{\"rel\":\"dataflow\",\"urn\":\"urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=ECB:EXR(1.0)"   \
	"\"}]"
#define J_STRUCTURE "{" J_LINK "," J_DIMS "," J_ATTRS "}"
#define J_SERIES                                                                                                       \
	"\"series\":{\"0\":{\"attributes\":[],\"observations\":{\"0\":[1.5931,0],\"1\":[1.5925,0]}},\"1\":{"           \
	"\"observations\":"                                                                                            \
	"{\"0\":[40.3426,0],\"1\":[40.3000,1]}}}"
#define J_FLAT "\"observations\":{\"0:0\":[1.5931,0],\"0:1\":[1.5925,0],\"1:0\":[\"40.3426\",0],\"1:1\":[40.3000,1]}"

static const struct form forms[] = {
	{"2.1 generic, series",
		"<?xml version=\"1.0\"?><m:GenericData " MES " xmlns:g=\"g\" xmlns:c=\"c\">" HEADER(
			REF) "<m:DataSet action=\"Replace\" structureRef=\"S\"><g:Series><g:SeriesKey>" V("FREQ", "D")
			V("CURRENCY", "NZD") "</g:SeriesKey><g:Attributes>" V("UNIT_MULT", "0") "</g:Attributes>" OBS(
				"2013-01-18", "1.5931", "A")
				OBS("2013-01-21", "1.5925", "A") "</g:Series><g:Series><g:SeriesKey>" V("FREQ", "D") V(
					"CURRENCY", "RUB") "</g:SeriesKey><g:Attributes>" V("UNIT_MULT",
					"0") "</g:Attributes>" OBS("2013-01-18", "40.3426", "A")
					OBS("2013-01-21", "40.3000", "E") "</g:Series></m:DataSet></m:GenericData>",
		FOUR("R"), NULL},
	{"2.1 generic, flat",
		"<m:GenericData " MES
		" xmlns:g=\"g\" xmlns:c=\"c\">" HEADER(REF) "<m:DataSet>" FLAT("NZD", "2013-01-18", "1.5931", "A")
			FLAT("NZD", "2013-01-21", "1.5925", "A") FLAT("RUB", "2013-01-18", "40.3426", "A")
				FLAT("RUB", "2013-01-21", "40.3000", "E") "</m:DataSet></m:GenericData>",
		FOUR("I"), NULL},
	{"2.1 structure-specific, series, a group behind its series",
		"<m:StructureSpecificData " MES " xmlns:c=\"c\" xmlns:s=\"s\">" HEADER(
			REF) "<m:DataSet s:structureRef=\"S\" s:action=\"Append\"><Group CURRENCY=\"NZD\" "
			     "UNIT_MULT=\"0\"/>"
			     "<Series FREQ=\"D\" CURRENCY=\"NZD\">" O("2013-01-18", "1.5931", "A")
				     O("2013-01-21", "1.5925", "A") "</Series><Series FREQ=\"D\" CURRENCY=\"RUB\">" O(
					     "2013-01-18", "40.3426", "A") O("2013-01-21", "40.3000",
					     "E") "</Series><Group CURRENCY=\"RUB\" "
						  "UNIT_MULT=\"0\"/></m:DataSet></m:StructureSpecificData>",
		FOUR("A"), NULL},
	{"2.1 structure-specific, flat, with the dimensions named",
		"<m:StructureSpecificData " MES " xmlns:c=\"c\">" HEADER(REF) "<m:DataSet>" SS("NZD", "2013-01-18",
			"1.5931", "A") SS("NZD", "2013-01-21", "1.5925", "A") SS("RUB", "2013-01-18", "40.3426", "A")
			SS("RUB", "2013-01-21", "40.3000", "E") "</m:DataSet></m:StructureSpecificData>",
		FOUR("I"), ""},
	{"2.1 by currency",
		"<m:StructureSpecificData " MES " xmlns:c=\"c\">" HEADER(
			"<m:Structure structureID=\"S\" "
			"dimensionAtObservation=\"CURRENCY\"><c:Structure><URN>urn:x=ECB:EXR(1.0)</URN>"
			"</c:Structure></m:Structure>") "<m:DataSet UNIT_MULT=\"0\"><Series FREQ=\"D\" "
							"TIME_PERIOD=\"2013-01-18\">"
							"<Obs CURRENCY=\"NZD\" OBS_VALUE=\"1.5931\" OBS_STATUS=\"A\"/>"
							"<Obs CURRENCY=\"RUB\" OBS_VALUE=\"40.3426\" "
							"OBS_STATUS=\"A\"/></Series></m:DataSet>"
							"</m:StructureSpecificData>",
		"EXR I D NZD 2013-01-18 1.5931 A 0\nEXR I D RUB 2013-01-18 40.3426 A 0\n", NULL},
	{"2.0 compact, in an envelope",
		"<e:Envelope "
		"xmlns:e=\"e\"><e:Body><CompactData><Header><KeyFamilyRef>EXR</KeyFamilyRef><DataSetAction>Append"
		"</DataSetAction></Header><DataSet><SiblingGroup CURRENCY=\"NZD\" UNIT_MULT=\"0\"/><Series FREQ=\"D\" "
		"CURRENCY=\"NZD\">" O("2013-01-18", "1.5931", "A") O("2013-01-21", "1.5925",
			"A") "</Series><Series FREQ=\"D\" CURRENCY=\"RUB\" UNIT_MULT=\"0\">" O("2013-01-18", "40.3426",
			"A") O("2013-01-21", "40.3000", "E") "</Series></DataSet></CompactData></e:Body></e:Envelope>",
		FOUR("A"), NULL},
	{"2.0 generic, a series inside its group",
		"<MessageGroup xmlns:g=\"g\"><Header/><g:DataSet><g:KeyFamilyRef>EXR</g:KeyFamilyRef><g:Group "
		"type=\"x\"><g:GroupKey>" C("CURRENCY", "NZD") "</g:GroupKey>" SERIES_2_0("NZD", "1.5931", "1.5925",
			"A") "</g:Group>" SERIES_2_0("RUB", "40.3426", "40.3000", "E") "</g:DataSet></MessageGroup>",
		FOUR("I"), NULL},
	{"CSV 1.0, both ids and labels",
		"DATAFLOW;FREQ: Frequency;CURRENCY: Currency;TIME_PERIOD: Time;OBS_VALUE: Value;OBS_STATUS: "
		"Status;UNIT_MULT: Multiplier\r\n"
		"ECB:EXR(1.0): Rates;D: Daily;NZD: New Zealand dollar;2013-01-18;1.5931;A: Normal;0: Units\r\n"
		"ECB:EXR(1.0): Rates;D: Daily;NZD: New Zealand dollar;2013-01-21;1.5925;A: Normal;0: Units\r\n"
		"ECB:EXR(1.0): Rates;D: Daily;RUB: Russian rouble;2013-01-18;40.3426;A: Normal;0: Units\r\n"
		"ECB:EXR(1.0): Rates;D: Daily;RUB: Russian rouble;2013-01-21;40.3000;E: Estimated;0: Units\r\n",
		FOUR("I"), NULL},
	{"CSV 1.0, texts with colons among codes",
		"DATAFLOW,FREQ: Frequency,CURRENCY: Currency,TIME_PERIOD: Time,OBS_VALUE: Value,OBS_STATUS: Status,"
		"UNIT_MULT: Multiplier,OBS_COM: Comment,TITLE: Title\n"
		"ECB:EXR(1.0): Rates,D: Daily,NZD: New Zealand dollar,2013-01-18,1.5931,A: Normal,0: Units,Source: ECB,"
		"Rates: all\nECB:EXR(1.0): Rates,D: Daily,NZD: New Zealand dollar,2013-01-21,1.5925,E, see (b): E,,\n",
		"EXR I D NZD 2013-01-18 1.5931 A 0 OBS_COM 'Source: ECB' TITLE 'Rates: all'\n"
		"EXR I D NZD 2013-01-21 1.5925 E  see (b): E\n",
		NULL},
	{"CSV 2.0, labels without a blank behind the colon",
		"STRUCTURE,STRUCTURE_ID,ACTION,FREQ:Frequency,CURRENCY:Currency,TIME_PERIOD:Time period or "
		"range,OBS_VALUE:Value,OBS_STATUS:Status,UNIT_MULT:Multiplier,OBS_COM:Comment\n"
		"dataflow,ECB:EXR(1.0): Rates,R,D: Daily,NZD:New Zealand dollar,2013-01-18T00:00:00,1.5931,A: "
		"Normal,0: Units,10:30 a.m.\n",
		"EXR R D NZD 2013-01-18T00:00:00 1.5931 A 0 OBS_COM '10:30 a.m.'\n", NULL},
	{"CSV of the ECB, behind keys",
		"KEY,FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE,OBS_STATUS,UNIT_MULT\r\n"
		"EXR.D.NZD,D,NZD,2013-01-18,1.5931,A,0\r\nEXR.D.NZD,D,NZD,2013-01-21,1.5925,A,0\r\n"
		"EXR.D.RUB,D,RUB,2013-01-18,40.3426,A,0\r\nEXR.D.RUB,D,RUB,2013-01-21,40.3000,E,0\r\n",
		FOUR("I"), NULL},
	{"CSV of the ECB, with history",
		"\"KEY\";\"FREQ\";\"CURRENCY\";\"TIME_PERIOD\";\"OBS_VALUE\";\"OBS_STATUS\";\"ACTION\"\n"
		"EXR.D.NZD;D;NZD;2013-01-18;1.5;A;Replace\nEXR.D.NZD;D;NZD;2013-01-18;;A;Delete\n",
		"EXR R D NZD 2013-01-18 1.5 A ~\nEXR D D NZD 2013-01-18 ~ A ~\n", NULL},
	{"CSV 2.0, names beside codes",
		"\xef\xbb\xbfSTRUCTURE[;],STRUCTURE_ID,STRUCTURE_NAME,ACTION,FREQ,Frequency,CURRENCY,Currency,TIME_"
		"PERIOD,Time,OBS_VALUE,Value,"
		"OBS_STATUS,Status,UNIT_MULT,Multiplier\ndataflow,ECB:EXR(1.0.0),Rates,R,D,Daily,NZD,,2013-01-18,,1."
		"5931,,A,,0,\n"
		"dataflow,ECB:EXR(1.0.0),Rates,R,D,Daily,NZD,,2013-01-21,,1.5925,,A,,0,\ndataflow,ECB:EXR(1.0.0),Rates,"
		"R,D,Daily,RUB,,"
		"2013-01-18,,40.3426,,A,,0,\ndataflow,ECB:EXR(1.0.0),Rates,R,D,Daily,RUB,,2013-01-21,,40.3000,,E,,0,\n",
		FOUR("R"), NULL},
	{"CSV 2.0, the measure first, the dimensions named",
		"STRUCTURE,STRUCTURE_ID,OBS_VALUE,OBS_STATUS,UNIT_MULT,TIME_PERIOD,CURRENCY,FREQ\n"
		"dataflow,ECB:EXR(1.0.0),1.5931,A,0,2013-01-18,NZD,D\ndataflow,ECB:EXR(1.0.0),1.5925,A,0,2013-01-21,"
		"NZD,D\n"
		"dataflow,ECB:EXR(1.0.0),40.3426,A,0,2013-01-18,RUB,D\ndataflow,ECB:EXR(1.0.0),40.3000,E,0,2013-01-21,"
		"RUB,D\n",
		FOUR("M"), ""},
	{"JSON draft, the structure behind the data, series",
		"{\"header\":{\"id\":\"x\"},\"dataSets\":[{\"action\":\"Replace\",\"attributes\":[0]," J_SERIES
		"}],\"structure\":" J_STRUCTURE "}",
		FOUR("R"), NULL},
	{"JSON draft, the flow by its address",
		"{\"dataSets\":[{\"action\":\"Replace\",\"attributes\":[0]," J_SERIES
		"}],\"structure\":{\"links\":[{\"href\":\"https://host/service/dataflow/ECB/EXR/1.0\",\"rel\":"
		"\"dataflow\"}]," J_DIMS "," J_ATTRS "}}",
		FOUR("R"), NULL},
	{"JSON 1.0, flat",
		"{\"meta\":{},\"data\":{\"structure\":" J_STRUCTURE ",\"dataSets\":[{\"attributes\":[0]," J_FLAT
		"}]},\"errors\":[]}",
		FOUR("I"), NULL},
	{"JSON 2.0, the second structure, series",
		"{\"data\":{\"structures\":[{\"dimensions\":{}}," J_STRUCTURE
		"],\"dataSets\":[{\"structure\":1,\"action\":\"Merge\"," J_SERIES ",\"attributes\":[0]}]}}",
		FOUR("M"), NULL},
	{"JSON, what the data does not say is the default; at the series",
		"{\"structure\":{" J_LINK "," J_DIMS
		",\"attributes\":{\"series\":[{\"id\":\"UNIT_MULT\",\"default\":\"6\","
		"\"values\":[{\"id\":\"6\"},{\"id\":\"3\"}]}],\"observation\":[{\"values\":[{\"id\":\"A\"}],\"id\":"
		"\"OBS_STATUS\","
		"\"default\":\"E\"}]}},\"dataSets\":[{\"series\":{\"0\":{\"attributes\":[null],\"observations\":{\"0\":"
		"[1.5],"
		"\"1\":[2,0]}},\"1\":{\"attributes\":[1],\"observations\":{\"0\":[3,null]}}}}]}",
		"EXR I D NZD 2013-01-18 1.5 E 6\nEXR I D NZD 2013-01-21 2 A 6\nEXR I D RUB 2013-01-18 3 E 3\n", NULL},
	{"JSON, defaults of the dataset and of groups, and of none in a deletion",
		"{\"structures\":[{" J_DIMS ",\"attributes\":{\"dataSet\":[{\"id\":\"UNIT_MULT\",\"default\":3}],"
		"\"dimensionGroup\":[{\"id\":\"OBS_STATUS\",\"default\":\"P\"}]}}],\"dataSets\":[{"
		"\"dimensionGroupAttributes\":{\"~:0:~\":[\"A\"],\"0:0:0\":[null]},\"observations\":{\"0:0\":[1],\"1:"
		"0\":[2]}},"
		"{\"observations\":{\"0:0\":[5]}},{\"action\":\"Delete\",\"observations\":{\"0:1\":[9]}}]}",
		"~ I D NZD 2013-01-18 1 A 3\n~ I D RUB 2013-01-18 2 P 3\n~ I D NZD 2013-01-18 5 P 3\n~ D D NZD "
		"2013-01-21 9 ~ ~\n",
		NULL},
	{"JSON, errors that do not say that it is cut",
		"{\"structure\":" J_STRUCTURE ",\"dataSets\":[{\"attributes\":[0]," J_FLAT
		"}],\"errors\":[{\"code\":400,\"title\":\"bad dimension\"}]}",
		FOUR("I") "#footer 400; bad dimension\n", ""},
	{"JSON with holes, as one provider writes them",
		"{\"structure\":" J_STRUCTURE ",\"dataSets\":[{\"attributes\":[],\"series\":{\"1\":{\"observations\":{"
		"\"0\":[,0],\"1\":[40.3000,]}}}}]}",
		"EXR I D RUB 2013-01-18 ~ A ~\nEXR I D RUB 2013-01-21 40.3000 ~ ~\n", NULL},
	{"groups of what stands at the observation",
		"<CompactData><DataSet><Group CURRENCY=\"NZD\" UNIT_MULT=\"3\"/><Group CURRENCY=\"RUB\" "
		"UNIT_MULT=\"6\"/>"
		"<Series FREQ=\"D\" TIME_PERIOD=\"2013-01-18\"><Obs CURRENCY=\"NZD\" OBS_VALUE=\"1\"/><Obs "
		"CURRENCY=\"CHF\" OBS_VALUE=\"2\"/>"
		"<Obs CURRENCY=\"RUB\" OBS_VALUE=\"3\"/></Series></DataSet></CompactData>",
		"~ I D NZD 2013-01-18 1 ~ 3\n~ I D CHF 2013-01-18 2 ~ ~\n~ I D RUB 2013-01-18 3 ~ 6\n", NULL},
	{"groups of two datasets, and of two sizes",
		"<CompactData><DataSet><Group FREQ=\"D\" UNIT_MULT=\"1\"/><Series FREQ=\"D\"><Obs "
		"TIME_PERIOD=\"2013-01-18\" OBS_VALUE=\"1\"/>"
		"</Series></DataSet><DataSet><Group FREQ=\"D\" CURRENCY=\"NZD\" UNIT_MULT=\"3\"/><Group FREQ=\"D\" "
		"UNIT_MULT=\"9\"/>"
		"<Series FREQ=\"D\" CURRENCY=\"NZD\"><Obs TIME_PERIOD=\"2013-01-18\" OBS_VALUE=\"2\"/></Series><Series "
		"FREQ=\"D\" "
		"CURRENCY=\"RUB\"><Obs TIME_PERIOD=\"2013-01-18\" OBS_VALUE=\"3\"/></Series></DataSet></CompactData>",
		"~ I D ~ 2013-01-18 1 ~ 1\n~ I D NZD 2013-01-18 2 ~ 3\n~ I D RUB 2013-01-18 3 ~ 9\n", NULL},
	{"2.1, what else an observation of a series says is no dimension",
		"<m:StructureSpecificData " MES " xmlns:c=\"c\">" HEADER(
			REF) "<m:DataSet><Series FREQ=\"D\" "
			     "CURRENCY=\"NZD\"><Obs TIME_PERIOD=\"2013-01-18\" OBS_VALUE=\"1.5931\" "
			     "DATE_JO=\"2013\"/><Obs "
			     "TIME_PERIOD=\"2013-01-21\" OBS_VALUE=\"1.5925\" JOBS=\"8\"/></Series></m:DataSet>"
			     "</m:StructureSpecificData>",
		"EXR I D NZD 2013-01-18 1.5931 ~ ~\nEXR I D NZD 2013-01-21 1.5925 ~ ~\n", NULL},
	{"2.0, what else an observation of a series says is no dimension",
		"<CompactData><DataSet><Series FREQ=\"D\" CURRENCY=\"NZD\"><Obs TIME_PERIOD=\"2013-01-18\" "
		"OBS_VALUE=\"1\" DATE_JO=\"2013\"/></Series></DataSet></CompactData>",
		"~ I D NZD 2013-01-18 1 ~ ~\n", NULL},
	{"what of a group no series has is no dimension",
		"<CompactData><DataSet><Group CURRENCY=\"NZD\" PRODUCER=\"ECB\" UNIT_MULT=\"3\"/><Series FREQ=\"D\" "
		"CURRENCY=\"NZD\">" O("2013-01-18", "1.5931", "A") "</Series></DataSet></CompactData>",
		"~ I D NZD 2013-01-18 1.5931 A 3\n", NULL},
	{"2.1, explicit measures",
		"<m:StructureSpecificData " MES
		" xmlns:n=\"n\" xmlns:c=\"c\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">" HEADER(
			EXPLICIT) "<m:DataSet><Series FREQ=\"D\" TIME_PERIOD=\"2013-01-18\"><Obs xsi:type=\"n:NZD\" "
				  "OBS_VALUE=\"1.5931\"/><Obs xsi:type=\"n:RUB\" "
				  "OBS_VALUE=\"40.3426\"/></Series></m:DataSet>"
				  "</m:StructureSpecificData>",
		"EXR I D NZD 2013-01-18 1.5931 ~ ~\nEXR I D RUB 2013-01-18 40.3426 ~ ~\n", NULL},
	{"3.0, components as elements, the flow's URN as text",
		"<m:StructureSpecificData " MES
		" xmlns:c=\"c\">" HEADER(URN_TEXT) "<m:DataSet><Series FREQ=\"D\" "
						   "CURRENCY=\"NZD\"><Comp id=\"UNIT_MULT\"><Value> 0 "
						   "</Value></Comp><Obs TIME_PERIOD=\"2013-01-18\" "
						   "OBS_VALUE=\"1.5931\" OBS_STATUS=\"A\"/><Obs "
						   "TIME_PERIOD=\"2013-01-21\"><Comp id=\"OBS_VALUE\">"
						   "<Value>1.5925</Value></Comp><Comp "
						   "id=\"OBS_STATUS\"><Value>B</Value><Value>E</Value></Comp></Obs>"
						   "</Series></m:DataSet></m:StructureSpecificData>",
		"EXR I D NZD 2013-01-18 1.5931 A 0\nEXR I D NZD 2013-01-21 1.5925 B;E 0\n", NULL},
	{"3.0, a value as an element alone, flat, the dimensions named",
		"<m:StructureSpecificData " MES
		" xmlns:c=\"c\">" HEADER(URN_TEXT) "<m:DataSet><Obs FREQ=\"D\" "
						   "CURRENCY=\"NZD\" TIME_PERIOD=\"2013-01-18\"><Comp "
						   "id=\"OBS_VALUE\"><Value>1.5931</Value></Comp>"
						   "</Obs></m:DataSet></m:StructureSpecificData>",
		"EXR I D NZD 2013-01-18 1.5931 ~ ~\n", ""},
	{"nothing said, and NaN",
		"<CompactData><DataSet><Series FREQ=\"D\" CURRENCY=\"NZD\"><Obs TIME_PERIOD=\"2013-01-18\"/><Obs "
		"TIME_PERIOD=\"2013-01-21\" "
		"OBS_VALUE=\"NaN\"/></Series></DataSet></CompactData>",
		"~ I D NZD 2013-01-18 ~ ~ ~\n~ I D NZD 2013-01-21 NaN ~ ~\n", NULL},
	{"an answer that is being prepared",
		"<GenericData><Header/><Footer><Message code=\"413\"><Text>Look at http://h/f "
		"later</Text></Message></Footer></GenericData>",
		"#footer 413: Look at http://h/f later\n#poll http://h/f\n", ""},
};

static struct family family_of(const struct form *f)
{
	return (struct family){.name = f->name,
		.read = read_all,
		.arg = f->arg,
		.doc = slice_of(f->doc),
		.mark = 1,
		.is_open_ended = *f->doc != '<' && *f->doc != '{'};
}

static void every_form_gives_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		const struct family f = family_of(&forms[i]);

		family_golden(&f, GLANE_END, forms[i].want);
	}
}

static void split_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		const struct family f = family_of(&forms[i]);

		family_split(&f);
	}
}

static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		struct family f = family_of(&forms[i]);

		f.mark = f.is_open_ended ? 64 : 1;
		family_cut(&f);
	}
}

struct refusal {
	const char *doc;
	glane_rc rc;
	const char *says;
};
static const struct refusal refusals[] = {
	{"", GLANE_E_FORMAT, "empty"},
	{"a,b\n1,2\n", GLANE_E_FORMAT, "DATAFLOW or STRUCTURE"},
	{"a,TIME_PERIOD\n1,2\n", GLANE_E_FORMAT, "columns TIME_PERIOD and OBS_VALUE"},
	{"No results\n", GLANE_E_FORMAT, "no SDMX message"},
	{"STRUCTURE,DIM,OBS_VALUE\nx,1,2\n", GLANE_E_FORMAT, "STRUCTURE_ID"},
	{"DATAFLOW,A,OBS_VALUE\nX:Y(1),1\n", GLANE_E_FORMAT, "line 2"},
	{"DATAFLOW\n", GLANE_E_FORMAT, "no separator"},
	{"<html/>", GLANE_E_FORMAT, "the root element is html"},
	{"<Structure/>", GLANE_E_FORMAT, "structures or metadata"},
	{"<CrossSectionalData/>", GLANE_E_FORMAT, "cross-sectional"},
	{"<Error><ErrorMessage code=\"150\"><Text>Bad key</Text></ErrorMessage></Error>", GLANE_E_DATA,
		"answers: 150: Bad key"},
	{"<S:Fault xmlns:S=\"s\"><faultcode>413</faultcode><faultstring>Too big</faultstring></S:Fault>", GLANE_E_DATA,
		"413 Too big"},
	{"<GenericData><Footer><Message code=\"510\"><Text>Cut</Text></Message></Footer></GenericData>", GLANE_E_DATA,
		"510: Cut"},
	{"<CompactData><DataSet><Series A=\"1\"><Obs TIME_PERIOD=\"2020\" "
	 "OBS_VALUE=\"1\"/></Series></DataSet><Footer><Message code=\"510\">"
	 "<Text>Response size exceeds service limit</Text></Message></Footer></CompactData>",
		GLANE_E_DATA, "not whole, the provider says: 510: Response size"},
	{"<CompactData><DataSet><Series A=\"1\"><Obs TIME_PERIOD=\"2020\" "
	 "OBS_VALUE=\"1\"/></Series></DataSet><Footer><Message code=\"504\">"
	 "<Text>Gateway</Text></Message></Footer></CompactData>",
		GLANE_E_DATA, "not whole, the provider says: 504: Gateway"},
	{"<GenericData xmlns:g=\"g\"><DataSet><Series><SeriesKey><g:Value id=\"A\" "
	 "value=\"1\"/></SeriesKey><Obs/><Attributes><g:Value id=\"B\" "
	 "value=\"2\"/></Attributes></Series></DataSet></GenericData>",
		GLANE_E_FORMAT, "outside of dataset"},
	{"<m:StructureSpecificData " MES
	 " xmlns:c=\"c\">" HEADER(EXPLICIT) "<m:DataSet><Series FREQ=\"D\" TIME_PERIOD=\"2013\"><Obs "
					    "OBS_VALUE=\"1\"/></Series></m:DataSet></m:StructureSpecificData>",
		GLANE_E_FORMAT, "without the type that names its measure"},
	{"<CompactData><DataSet action=\"Deleted\"/></CompactData>", GLANE_E_FORMAT, "action 'Deleted' is none of"},
	{"<CompactData><Header><DataSetAction>Remove</DataSetAction></Header></CompactData>", GLANE_E_FORMAT,
		"action 'Remove' is none of"},
	{"STRUCTURE,STRUCTURE_ID,ACTION,A,OBS_VALUE\ndataflow,X:Y(1),I,1,1\ndataflow,X:Y(1),Delete,1,1\n",
		GLANE_E_FORMAT, "line 3: action 'Delete' is none of"},
	{"STRUCTURE,STRUCTURE_ID,ACTION,A,OBS_VALUE\ndataflow,X:Y(1),d,1,1\n", GLANE_E_FORMAT, "action 'd' is none"},
	{"{\"structure\":" J_STRUCTURE ",\"dataSets\":[{\"action\":\"delete\",\"observations\":{}}]}", GLANE_E_FORMAT,
		"the action of a dataset is none of"},
	{"<!DOCTYPE x><CompactData/>", GLANE_E_FORMAT, "DOCTYPE"},
	{"<GenericData xmlns:g=\"g\"><DataSet><Series><SeriesKey><g:Value "
	 "id=\"A\"/></SeriesKey></Series></DataSet></GenericData>",
		GLANE_E_FORMAT, "without id and value"},
	{"{\"error\":[{\"status\":404,\"label\":\"gone\"}]}", GLANE_E_DATA, "answers: 404; gone"},
	{"{\"structure\":" J_STRUCTURE ",\"dataSets\":[{\"attributes\":[0]," J_FLAT
	 "}],\"errors\":[{\"code\":510,\"title\":\"Response size exceeds service limit\"}]}",
		GLANE_E_DATA, "not whole, the provider says: 510; Response size"},
	{"{\"structure\":" J_STRUCTURE ",\"dataSets\":[{\"attributes\":[0]," J_FLAT
	 "}],\"errors\":[{\"title\":\"Gateway\",\"code\":\"504\"}]}",
		GLANE_E_DATA, "not whole"},
	{"{\"structure\":" J_STRUCTURE ",\"dataSets\":[],\"errors\":[{\"code\":100,\"title\":\"none\"}]}", GLANE_E_DATA,
		"answers: 100; none"},
	{"{\"a\":1}", GLANE_E_FORMAT, "no dataSets"},
	{"{\"dataSets\":[{\"series\":{}}]}", GLANE_E_FORMAT, "structure 0"},
	{"{\"structure\":" J_STRUCTURE ",\"dataSets\":[{\"series\":{\"9\":{\"observations\":{}}}}]}", GLANE_E_FORMAT,
		"CURRENCY has no value number 9"},
	{"{\"structure\":" J_STRUCTURE ",\"dataSets\":[{\"series\":{\"0:0\":{}}}]}", GLANE_E_FORMAT, "more parts"},
	{"{\"structure\":" J_STRUCTURE ",\"dataSets\":[{\"observations\":{\"0\":[1]}}]}", GLANE_E_FORMAT,
		"fewer parts"},
	{"{\"structure\":" J_STRUCTURE ",\"dataSets\":[{\"observations\":{\"0:0\":1}}]}", GLANE_E_FORMAT, "no array"},
	{"{\"dataSets\":[]} x", GLANE_E_FORMAT, "behind its end"},
};

static void refused_with_a_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct strbuf out;
		struct diag d = {0};
		glane_rc rc;

		strbuf_init(&out, 0);
		rc = read_all(NULL, slice_of(refusals[i].doc), 0, &out, &d);
		if (rc != refusals[i].rc || !strstr(d.text, refusals[i].says))
			fail_msg("%s: %d, %s", refusals[i].doc, (int)rc, d.text);
		strbuf_release(&out);
	}
}

static void labels_of_codes(void **state)
{
	const struct record_options o = {.format = GLANE_FMT_SDMX};
	struct record_reader *r = NULL;
	struct diag d = {0};
	struct payload p;

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		const bool has = strstr(forms[i].name, "JSON 1.0") || strstr(forms[i].name, "both ids");

		if (!has)
			continue;
		payload_memory(&p, slice_of(forms[i].doc), 0, &d);
		assert_int_equal(record_open(&r, &p, &o, &d), GLANE_OK);
		assert_int_equal(record_next(r), GLANE_OK);
		for (size_t k = 0; k < record_columns(r); k++)
			if (slice_is(record_column(r, k), "CURRENCY"))
				assert_true(slice_is(record_label(r, k), "New Zealand dollar"));
		record_close(r);
		payload_close(&p);
	}
}

static void want_of_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		const struct family f = family_of(&forms[i]);

		family_starved(&f, 400, GLANE_E_LIMIT, NULL);
	}
}

static void ids_of_flows(void **state)
{
#define URN "urn:sdmx:org.sdmx.infomodel.datastructure."
	static const char *const refs[][2] = {{"EXR", "EXR"}, {" EXR ", "EXR"}, {"ECB:EXR", "EXR"},
		{"ECB:EXR(1.0)", "EXR"}, {"ECB:EXR (1.0)", "EXR"}, {"OECD.SDD.TPS:DSD_A@DF_B(1.0)", "DSD_A@DF_B"},
		{"EXR(1.0)", "EXR"}, {"ESTAT:NA_MAIN(1.6.0): Accounts: 2010=100 (all)", "NA_MAIN"},
		{"ESTAT:NA_MAIN: Accounts, 2010=100", "NA_MAIN"}, {"NA_MAIN: Accounts (all)", "NA_MAIN"},
		{URN "Dataflow=ECB:EXR(1.0)", "EXR"},
		{URN "Dataflow=FR1:IPI-2010-A21(1.0):ObsLevelDim:TIME_PERIOD", "IPI-2010-A21"},
		{URN "Dataflow=ECB:EXR", "EXR"}, {"urn:uuid:5f0c", ""}, {"", ""}, {":", ""}, {"(", ""}, {"=", ""},
		{"urn:a=", ""}};

	(void)state;
	for (size_t i = 0; i < COUNT(refs); i++) {
		const struct slice id = sdmx_flow_id(slice_of(refs[i][0]));

		if (!slice_is(id, refs[i][1]))
			fail_msg("%s: '%.*s'", refs[i][0], SLICE_FMT(id));
	}
	assert_int_equal(sdmx_flow_id((struct slice){NULL, 0}).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_of_flows),
		cmocka_unit_test(every_form_gives_the_same),
		cmocka_unit_test(split_anywhere),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(refused_with_a_word),
		cmocka_unit_test(labels_of_codes),
		cmocka_unit_test(want_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
