import type { BatteryResult } from "../battery.js";
import type { Planted } from "../doubles/judge-the-judge.js";
import { CHECKS, type CheckName, type Finding } from "../finding.js";

/**
 * `isolated`: nothing was found, and everything that had to be shown was. `leak`: something was
 * found. `not-shown`: nothing was found, but not everything was looked at.
 */
export type Verdict = "isolated" | "leak" | "not-shown";

/**
 * What the verdict rests on. `sent`: every request to the model was seen. `store`: everything kept
 * was read back. `attack`: every user asked for the data of the others. `replies`: only replies
 * were seen, which proves nothing.
 */
export type Evidence = "sent" | "store" | "attack" | "replies";

export interface ReportedCheck {
  readonly check: CheckName;
  /** What it shows when it finds nothing. */
  readonly shows: string;
  readonly ok: boolean;
  readonly findings: number;
}

/** What one user saw of another. */
export interface MatrixRow {
  readonly user: string;
  /** By user, in the order of the rows: how many texts of that user were seen. */
  readonly saw: readonly number[];
}

/** The outcome of a check, as one JSON document. */
export interface VerifyReport {
  readonly ok: boolean;
  readonly verdict: Verdict;
  readonly evidence: readonly Evidence[];
  readonly seed: number;
  readonly version: string | undefined;
  readonly target: Readonly<Record<string, string>>;
  readonly users: number;
  readonly sessions: number;
  readonly runs: number;
  readonly requests: number;
  /** Pairs of users whose runs were at the model at the same time. */
  readonly pairs: { readonly overlapped: number; readonly of: number };
  readonly canaries: { readonly planted: number; readonly seen: number };
  /** Leaks planted on purpose, to judge the judge. */
  readonly planted: Planted;
  readonly doors: readonly string[];
  readonly checks: readonly ReportedCheck[];
  readonly matrix: readonly MatrixRow[];
  /** At most 100; `findingCount` counts them all. */
  readonly findings: readonly Finding[];
  readonly findingCount: number;
  /** Why the verdict is not `isolated` although nothing was found. */
  readonly gaps: readonly string[];
  readonly notProved: readonly string[];
  readonly durationMs: number;
}

export interface ReportParts {
  readonly results: readonly BatteryResult[];
  readonly planted: Planted;
  readonly evidence: readonly Evidence[];
  readonly checks: readonly CheckName[];
  readonly seed: number;
  readonly version?: string | undefined;
  readonly target: Readonly<Record<string, string>>;
  /** Findings that no battery made. */
  readonly findings?: readonly Finding[];
  readonly gaps?: readonly string[];
  /** More than is never proved. */
  readonly notProved?: readonly string[];
  readonly durationMs: number;
}

const MOST_FINDINGS = 100;

/** What no check of this kind can show. */
const NOT_PROVED = [
  "authentication of your own in front of it",
  "side channels: timing, the provider's prompt cache",
  "what the provider, or a tool's own system, stores",
  "code that this check did not run",
] as const;

/** Sums up batteries; the first of them is the one whose users the matrix shows. */
export function reportOf({
  results,
  planted,
  evidence,
  checks,
  findings: others = [],
  gaps: otherGaps = [],
  notProved = [],
  ...rest
}: ReportParts): VerifyReport {
  const findings = [...results.flatMap((result) => result.findings), ...others];
  const gaps = [...results.flatMap(gapsOf), ...gapsOfJudge(planted), ...otherGaps];
  const verdict = findings.length > 0 ? "leak" : gaps.length > 0 ? "not-shown" : "isolated";
  const canaries = results.flatMap(({ ledger }) =>
    ledger.canaries.all.map((canary) => ledger.canaries.isSeen(canary)),
  );
  const first = results[0];
  return {
    ok: verdict === "isolated",
    ...{ verdict, evidence, ...rest, version: rest.version },
    users: first?.users.length ?? 0,
    sessions: sum(results, ({ ledger }) => ledger.conversations.length),
    runs: sum(results, ({ ledger }) => ledger.runs),
    requests: sum(results, ({ requests }) => requests),
    pairs: {
      overlapped: sum(results, ({ pairs }) => pairs.overlapped),
      of: sum(results, ({ pairs }) => pairs.of),
    },
    canaries: { planted: canaries.length, seen: canaries.filter(Boolean).length },
    planted,
    doors: [...new Set(results.flatMap(({ doors }) => doors))],
    checks: checks.map((check) => checkOf(check, findings)),
    matrix: first === undefined ? [] : matrixOf(first),
    findings: findings.slice(0, MOST_FINDINGS),
    findingCount: findings.length,
    ...{ gaps, notProved: [...NOT_PROVED, ...notProved] },
  };
}

const sum = <T>(values: readonly T[], of: (value: T) => number): number =>
  values.reduce((total, value) => total + of(value), 0);

function checkOf(check: CheckName, findings: readonly Finding[]): ReportedCheck {
  const found = findings.filter((finding) => finding.check === check).length;
  return { check, shows: CHECKS[check], ok: found === 0, findings: found };
}

/** Own texts that were seen, and foreign ones that should not have been. */
function matrixOf({ users, ledger, findings }: BatteryResult): MatrixRow[] {
  const own = ledger.canaries.all.filter((canary) => ledger.canaries.isSeen(canary));
  const foreign = findings.filter(({ kind }) => kind === "foreign");
  return users.map((user) => ({
    user,
    saw: users.map((other) =>
      user === other
        ? own.filter(({ owner }) => owner.userId === user).length
        : foreign.filter(({ by, of }) => by?.userId === user && of?.userId === other).length,
    ),
  }));
}

/** Why a battery that found nothing has not shown everything. */
function gapsOf({ pairs, notReached, ledger }: BatteryResult): string[] {
  const gaps = notReached.map((door) => `${door} was not reached`);
  const apart = pairs.of - pairs.overlapped;
  if (apart > 0) gaps.push(`${apart} of ${pairs.of} pairs of users never overlapped`);
  const unseen = ledger.canaries.all.filter(
    (canary) => isToBeSeen(canary.owner) && !ledger.canaries.isSeen(canary),
  );
  if (unseen.length > 0) gaps.push(`${unseen.length} planted texts were never seen by their owner`);
  return gaps;
}

/** A run that failed on purpose may end before anybody sees its texts. */
const isToBeSeen = ({ outcome }: { readonly outcome: string }): boolean => outcome === "stored";

const gapsOfJudge = ({ missed }: Planted): string[] =>
  missed.map((name) => `the judge did not find a planted leak: ${name}`);
