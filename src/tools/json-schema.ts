import type { Validator } from "@cfworker/json-schema";
import type { JsonSchema } from "../models/model.js";

const validators = new WeakMap<JsonSchema, Validator>();

/**
 * Checks a value against a JSON Schema (2020-12) without generating code.
 * @throws {Error} naming the first place that does not fit
 */
export async function checkJson(schema: JsonSchema, value: unknown): Promise<void> {
  const { valid, errors } = (await validatorOf(schema)).validate(value);
  if (valid) return;
  // The last one is the innermost: those before only say that it failed.
  const { instanceLocation = "#", error = "does not fit the schema" } = errors.at(-1) ?? {};
  throw new Error(instanceLocation === "#" ? error : `${instanceLocation.slice(2)}: ${error}`);
}

async function validatorOf(schema: JsonSchema): Promise<Validator> {
  const known = validators.get(schema);
  if (known) return known;
  const { Validator } = await import("@cfworker/json-schema");
  const validator = new Validator(schema, "2020-12");
  validators.set(schema, validator);
  return validator;
}
