import type { CheckName, Finding } from "../finding.js";
import type { VerifyReport } from "./report.js";

/** The report as JUnit XML: one test case per check, and one for what was not shown. */
export function junitText(report: VerifyReport): string {
  const { checks, gaps, durationMs } = report;
  const cases = checks.map(({ check, shows, ok }) =>
    ok ? testCase(check, shows) : testCase(check, shows, linesOf(check, report)),
  );
  if (gaps.length > 0) cases.push(testCase("shown", "everything was looked at", gaps));
  const failures = checks.filter(({ ok }) => !ok).length + Math.min(1, gaps.length);
  const seconds = (durationMs / 1000).toFixed(3);
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" time="${seconds}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="agno-chat verify" ${counts}>
  <testsuite name="isolation" ${counts}>
${cases.join("\n")}
  </testsuite>
</testsuites>
`;
}

/** A report names the first findings only, so there may be none of this check among them. */
function linesOf(check: CheckName, { findings, findingCount }: VerifyReport): string[] {
  const own = findings.filter((one) => one.check === check).map(lineOf);
  return own.length > 0
    ? own
    : [`not among the first ${findings.length} of ${findingCount} findings`];
}

/** @param faults Why it failed, one line each; a case without any has passed. */
function testCase(name: string, shows: string, faults: readonly string[] = []): string {
  const head = `    <testcase classname="agno-chat.verify.${name}" name="${escaped(shows)}"`;
  const [first] = faults;
  if (first === undefined) return `${head}/>`;
  return `${head}>
      <failure message="${escaped(first)}">${escaped(faults.join("\n"))}</failure>
    </testcase>`;
}

/** One line for a finding: who, what, whose, where. */
export function lineOf({ by, of, door, where, request, run, text }: Finding): string {
  const who = by === undefined ? "" : `${by.userId} (${by.sessionId}) `;
  const whose = of === undefined ? "" : `; of ${of.userId} (${of.sessionId})`;
  const place = [door, request && `request ${request}`, where].filter(Boolean).join(", ");
  return `${who}${text}${whose}${run === undefined ? "" : `, run ${run}`}; at ${place}`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
};

/** Characters that XML 1.0 does not allow become U+FFFD. */
function escaped(text: string): string {
  const allowed = text.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd");
  return allowed.replace(/[&<>"\n]/g, (char) => ENTITIES[char] ?? char);
}
