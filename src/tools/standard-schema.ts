import { AgnoChatError } from "../errors.js";
import type { Awaitable } from "../memory/memory.js";
import type { JsonSchema } from "../models/model.js";

/**
 * A schema of zod (4.2 or newer) or any other library that implements Standard Schema and Standard
 * JSON Schema (https://standardschema.dev). Recognised by its shape, so that no such library is a
 * dependency.
 */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Awaitable<StandardResult<Output>>;
    /** Only used for type inference. */
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

interface JsonSchemaConverter {
  readonly input: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>;
}

/** In some libraries, schemas are functions. */
export const isStandardSchema = (schema: unknown): schema is StandardSchema =>
  schema !== null &&
  ["object", "function"].includes(typeof schema) &&
  "~standard" in Object(schema);

/**
 * Converts the input side of a schema to JSON Schema.
 * @throws {AgnoChatError} `USAGE` when its library cannot convert it
 */
export function jsonSchemaOf({ "~standard": standard }: StandardSchema): JsonSchema {
  const { jsonSchema } = standard as { jsonSchema?: JsonSchemaConverter };
  if (jsonSchema === undefined)
    throw new AgnoChatError(
      "USAGE",
      `A schema of ${standard.vendor} cannot be turned into JSON Schema.`,
      { hint: "Use zod 4.2 or newer, a library with Standard JSON Schema, or plain JSON Schema." },
    );
  try {
    return jsonSchema.input({ target: "draft-2020-12" });
  } catch (cause) {
    throw new AgnoChatError("USAGE", "A tool's parameters cannot be turned into JSON Schema.", {
      hint: "Use only what JSON supports: no dates, maps, functions or symbols.",
      cause,
    });
  }
}

/**
 * Validates a value and returns the schema's output: defaults filled in, transforms applied.
 * @throws {Error} that names every place that does not fit
 */
export async function parseWith<Output>(
  schema: StandardSchema<Output>,
  value: unknown,
): Promise<Output> {
  const result = await schema["~standard"].validate(value);
  if (result.issues) throw new Error(result.issues.map(issueText).join("; "));
  return result.value;
}

function issueText({ message, path = [] }: StandardIssue): string {
  const keys = path.map((part) => String(typeof part === "object" ? part.key : part));
  return keys.length > 0 ? `${keys.join(".")}: ${message}` : message;
}
