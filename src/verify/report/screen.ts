import { singleLine } from "../../sanitise.js";
import type { Finding } from "../finding.js";
import { withoutPrefix } from "../users.js";
import type { MatrixRow, VerifyReport } from "./report.js";

/** How parts of the report are coloured. */
export interface ReportStyle {
  good(text: string): string;
  bad(text: string): string;
  faint(text: string): string;
  strong(text: string): string;
}

const PLAIN_STYLE: ReportStyle = {
  good: (text) => text,
  bad: (text) => text,
  faint: (text) => text,
  strong: (text) => text,
};

/** Columns beyond which a matrix of many users is not drawn. */
const MOST_IN_MATRIX = 12;

const NAME_WIDTH = 12;

/**
 * The report as text for a terminal. Every line ends with a line feed.
 * @example
 * const report = await verifyIsolation({ memory: new InMemory() }, { users: 3, runs: 6 });
 * process.stdout.write(reportText(report));
 */
export function screenText(report: VerifyReport, style: ReportStyle = PLAIN_STYLE): string {
  const lines = [
    ...matrixLines(report.matrix, style),
    "",
    ...checkLines(report, style),
    ...witnessLines(report.findings[0], style),
    "",
    ...countLines(report, style),
    ...report.gaps.map((gap) => style.bad(`  not shown: ${gap}`)),
    style.faint("Not proved:"),
    ...report.notProved.map((what) => style.faint(`  ${what}`)),
    "",
    verdictLine(report, style),
  ];
  return `${lines.join("\n")}\n`;
}

/** Who saw whose texts: a row for who saw, a column for whose they were. */
function matrixLines(matrix: readonly MatrixRow[], style: ReportStyle): string[] {
  if (matrix.length > MOST_IN_MATRIX) return [];
  const head = matrix.map((_, index) => letterOf(index).padStart(5)).join("");
  const lines = [style.faint(`${"saw".padEnd(NAME_WIDTH + 4)}${head}`)];
  for (const [index, { user, saw }] of matrix.entries()) {
    const cells = saw.map((count, column) => cellOf(count, index === column, style));
    lines.push(`${letterOf(index)}   ${nameOf(user)}${cells.join("")}`);
  }
  return lines;
}

const letterOf = (index: number): string => String.fromCharCode(65 + index);

/** The id without the prefix that keeps it apart from real ones. */
function nameOf(user: string): string {
  const name = singleLine(withoutPrefix(user), NAME_WIDTH - 1);
  return name.padEnd(NAME_WIDTH);
}

function cellOf(count: number, isOwn: boolean, style: ReportStyle): string {
  if (isOwn) return style.good(String(count).padStart(5));
  return count === 0 ? style.faint("·".padStart(5)) : style.bad(String(count).padStart(5));
}

const checkLines = ({ checks }: VerifyReport, style: ReportStyle): string[] =>
  checks.map(({ check, shows, ok, findings }) =>
    ok
      ? `${style.good("✓")} ${shows}`
      : `${style.bad("✗")} ${check}: ${style.bad(findings === 1 ? "1 finding" : `${findings} findings`)}`,
  );

/** The first finding in full. */
function witnessLines(finding: Finding | undefined, style: ReportStyle): string[] {
  if (finding === undefined) return [];
  const { kind, by, of, door, where, request, run, canary, text } = finding;
  const rows = [
    ["who", by && whoText(by)],
    ["what", text],
    ["whose", of && whoText(of)],
    ["planted by", run === undefined ? undefined : `run ${run}`],
    ["where", [door, request && `request ${request}`, where].filter(Boolean).join(", ")],
    ["text", canary],
  ].filter((row): row is [string, string] => row[1] !== undefined);
  return [
    "",
    style.strong(`First finding: ${kind}`),
    ...rows.map(([name, value]) => `  ${name.padEnd(11)}${singleLine(value, 200)}`),
  ];
}

const whoText = ({ userId, sessionId }: { userId: string; sessionId: string }): string =>
  `${userId}, session ${sessionId}`;

function countLines(report: VerifyReport, style: ReportStyle): string[] {
  const { runs, requests, canaries, pairs, planted, seed, durationMs, doors } = report;
  const counts = [
    `${runs} runs, ${requests} requests, ${doors.length} ${doors.length === 1 ? "door" : "doors"}`,
    `${canaries.planted} planted texts, ${canaries.seen} seen by their owners`,
    `${pairs.overlapped} of ${pairs.of} pairs of users overlapped`,
    `the judge found ${planted.found} of ${planted.of} planted leaks`,
    `seed ${seed}, ${(durationMs / 1000).toFixed(1)} s`,
  ];
  return counts.map((line) => style.faint(line));
}

function verdictLine(report: VerifyReport, style: ReportStyle): string {
  const { verdict, evidence, findingCount } = report;
  const seen = `evidence: ${evidence.join(", ")}`;
  if (verdict === "isolated") return `${style.good(style.strong("isolated"))} (${seen})`;
  if (verdict === "not-shown") return `${style.bad(style.strong("not shown"))} (${seen})`;
  const findings = findingCount === 1 ? "1 finding" : `${findingCount} findings`;
  return `${style.bad(style.strong("leak"))}: ${findings} (${seen})`;
}
