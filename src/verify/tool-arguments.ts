import type { JsonSchema } from "../models/model.js";

/** Arguments that fit the schema of a tool, as far as that is simple. Every free text is `text`. */
export function argumentsFor(schema: JsonSchema, text: string): unknown {
  if (Array.isArray(schema.enum)) return schema.enum[0];
  if ("const" in schema) return schema.const;
  switch (schema.type) {
    case "string":
      return text;
    case "number":
    case "integer":
      return typeof schema.minimum === "number" ? schema.minimum : 1;
    case "boolean":
      return true;
    case "array":
      return [argumentsFor((schema.items ?? { type: "string" }) as JsonSchema, text)];
    case "object":
      return Object.fromEntries(
        Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>).map(
          ([name, property]) => [name, argumentsFor(property, text)],
        ),
      );
    default:
      return text;
  }
}
