import { isObject } from "../../json.js";
import { RequestFault } from "./request-fault.js";

/** A JSON object that came from a client. */
export type Fields = Readonly<Record<string, unknown>>;

/** OpenAI's fields may be null, which is the same as leaving them out. */
export const given = (fields: Fields, name: string): unknown => fields[name] ?? undefined;

/** @throws {RequestFault} */
export function optionalText(fields: Fields, name: string): string | undefined {
  const value = given(fields, name);
  if (value === undefined || typeof value === "string") return value;
  throw new RequestFault(`${name} must be a string.`, { param: name });
}

/** @throws {RequestFault} */
export function optionalFlag(fields: Fields, name: string): boolean | undefined {
  const value = given(fields, name);
  if (value === undefined || typeof value === "boolean") return value;
  throw new RequestFault(`${name} must be true or false.`, { param: name });
}

/** What a field must not ask for, because the agent could only ignore it. */
export interface Refusal {
  readonly param: string;
  readonly message: string;
  readonly hint?: string;
  asksIn(fields: Fields): boolean;
}

/** @throws {RequestFault} */
export function refuseAny(fields: Fields, refusals: readonly Refusal[]): void {
  const refusal = refusals.find(({ asksIn }) => asksIn(fields));
  if (refusal !== undefined) throw new RequestFault(refusal.message, refusal);
}

const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

export const NO_TOOLS: Refusal = {
  param: "tools",
  message: "This agent calls its own tools, and none of a client.",
  hint: "Leave out tools.",
  asksIn: ({ tools, functions }) => isFilled(tools) || isFilled(functions),
};

/** Whether a format is given that is not plain text. */
export const isFormat = (format: unknown): boolean => isObject(format) && format.type !== "text";
