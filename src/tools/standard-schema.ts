import { AgnoChatError } from "../errors.js";
import type { Awaitable } from "../memory/memory.js";
import type { JsonSchema } from "../models/model.js";

/**
 * A schema of zod (4.2 or newer) or any other library that follows Standard Schema and Standard JSON Schema
 * (https://standardschema.dev). Seen by its shape, so that none of them is a dependency.
 */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Awaitable<StandardResult<Output>>;
    /** Only there for type inference. */
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

/** Some libraries make their schemas functions. */
export const isStandardSchema = (schema: unknown): schema is StandardSchema =>
  schema !== null &&
  ["object", "function"].includes(typeof schema) &&
  "~standard" in Object(schema);

/**
 * What the schema takes, as JSON Schema.
 * @throws {AgnoChatError} `USAGE` when its library cannot say
 */
export function jsonSchemaOf({ "~standard": standard }: StandardSchema): JsonSchema {
  const { jsonSchema } = standard as { jsonSchema?: JsonSchemaConverter };
  if (jsonSchema === undefined)
    throw new AgnoChatError(
      "USAGE",
      `A schema of ${standard.vendor} cannot be turned into JSON Schema.`,
      {
        hint: "Use zod 4.2 or newer, another library with Standard JSON Schema, or plain JSON Schema.",
      },
    );
  try {
    return jsonSchema.input({ target: "draft-2020-12" });
  } catch (cause) {
    throw new AgnoChatError("USAGE", "A tool's parameters cannot be turned into JSON Schema.", {
      hint: "Use only what JSON has: no dates, maps, functions or symbols.",
      cause,
    });
  }
}

/**
 * The value as the schema gives it back: defaults filled in, transforms done.
 * @throws {Error} naming every place that does not fit
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
