import type { JsonSchema } from "../model.js";

/** How chat.completions is told what a reply has to fit. */
export interface ReplyFormat {
  readonly type: "json_schema";
  readonly json_schema: {
    readonly name: string;
    readonly schema: JsonSchema;
    readonly strict?: true;
  };
}

/** `strict` lets the server make sure of it, but servers refuse it for a schema that is open. */
export const replyFormatOf = (schema: JsonSchema): ReplyFormat => ({
  type: "json_schema",
  json_schema: { name: "reply", schema, ...(isClosed(schema) && { strict: true }) },
});

/** Whether every object in it names all its keys, requires them, and allows no others. */
function isClosed(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null) return true;
  if (!Object.values(schema).every(isClosed)) return false;
  const { type, properties = {}, required, additionalProperties } = schema as JsonSchema;
  if (type !== "object") return true;
  const keys = Object.keys(properties as object);
  const named = Array.isArray(required) ? required : [];
  return additionalProperties === false && keys.every((key) => named.includes(key));
}
