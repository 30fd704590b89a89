import type { Validator } from "@cfworker/json-schema";
import type { JsonSchema } from "../models/model.js";
import { stoppableCheck } from "./stoppable-check.js";

interface Checker {
  readonly validator: Validator;
  /** Whether it matches regular expressions. */
  readonly matchesPatterns: boolean;
}

const checkers = new WeakMap<JsonSchema, Checker>();

/**
 * Validates a value against a JSON Schema (2020-12) without generating code.
 * @param signal The signal of the run.
 * @throws {Error} that names the first place that does not fit, or says that it took too long
 */
export async function checkJson(
  schema: JsonSchema,
  value: unknown,
  signal: AbortSignal,
): Promise<void> {
  const { validator, matchesPatterns } = await checkerOf(schema);
  const check = () => validator.validate(value);
  const { valid, errors } = matchesPatterns ? await stoppableCheck(check, signal) : check();
  if (valid) return;
  // The last error is the innermost: those before only say that it failed.
  const { instanceLocation = "#", error = "does not fit the schema" } = errors.at(-1) ?? {};
  throw new Error(instanceLocation === "#" ? error : `${instanceLocation.slice(2)}: ${error}`);
}

async function checkerOf(schema: JsonSchema): Promise<Checker> {
  const known = checkers.get(schema);
  if (known) return known;
  const { Validator } = await import("@cfworker/json-schema");
  const checker = {
    validator: new Validator(schema, "2020-12"),
    matchesPatterns: /"(pattern|patternProperties|format)":/.test(JSON.stringify(schema)),
  };
  checkers.set(schema, checker);
  return checker;
}
