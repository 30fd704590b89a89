import { ERROR_TABLE } from "../../../errors.js";
import { checkStore } from "../../../memory/check-store.js";
import type { Finding } from "../../../memory/store-report.js";
import type { Context } from "../../command-context.js";
import { storeOf } from "../../open-agent.js";
import { count } from "../../words.js";

export interface CheckStoreOptions {
  readonly conformance?: boolean;
}

/** `store check`: says what keeps users apart in a store. Exit code 5 when nothing does. */
export async function check(
  context: Context,
  [given]: string[],
  { conformance = false }: CheckStoreOptions,
): Promise<number> {
  const { options, output } = context;
  if (conformance) {
    const { checkConformance } = await import("./conformance.js");
    return checkConformance(context, given ?? storeOf(context));
  }
  const { store, findings } = await checkStore(given ?? storeOf(context));
  const isSafe = !findings.some(({ status }) => status === "unsafe");
  if (options.json) output.document({ ok: isSafe, store, findings });
  else {
    output.write(`${store[0]?.toUpperCase()}${store.slice(1)}:\n`);
    output.table(findings.map(({ status, about, text }) => [MARKS[status], about, text]));
    for (const { about, hint } of findings)
      if (hint !== undefined) output.write(`${about}: ${hint}\n`);
    output.write(`${verdict(findings)}\n`);
  }
  return isSafe ? 0 : ERROR_TABLE.EXPECTATION_FAILED.exit;
}

const MARKS = { ok: "ok", warning: "WARN", unsafe: "UNSAFE" } as const;

function verdict(findings: readonly Finding[]): string {
  const unsafe = findings.filter(({ status }) => status === "unsafe").length;
  const warnings = findings.filter(({ status }) => status === "warning").length;
  if (unsafe > 0) return `NOT SAFE: ${count(unsafe, "reason")} above.`;
  if (warnings > 0) return `Protected, with ${count(warnings, "warning")}.`;
  return "Safe.";
}
