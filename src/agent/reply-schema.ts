import type { Ajv, ValidateFunction } from "ajv";
import { AgnoChatError } from "../errors.js";
import { isObject, parseJson } from "../json.js";
import { assistantMessage, type Message, userMessage } from "../messages.js";
import type { JsonSchema, ModelRequest } from "../models/model.js";
import { stoppableCheck } from "../tools/stoppable-check.js";
import { TookTooLong } from "../within.js";
import type { Reply } from "./ask-model.js";

/** A reply as JSON, or in what it does not fit, as half a sentence. */
export type CheckedReply = { readonly value: unknown } | { readonly fault: string };

/** Checks replies against one JSON Schema. */
export class ReplySchema {
  readonly #schema: JsonSchema;
  readonly #validate: ValidateFunction;

  private constructor(schema: JsonSchema, validate: ValidateFunction) {
    this.#schema = schema;
    this.#validate = validate;
  }

  /**
   * @param schema Of draft-07 if its `$schema` says so, otherwise of 2020-12.
   * @throws {AgnoChatError} `USAGE` for a schema that is not valid
   */
  static async of(schema: JsonSchema): Promise<ReplySchema> {
    const known = compiled.get(schema);
    if (known !== undefined) return known;
    const replySchema = new ReplySchema(schema, await validatorOf(schema));
    compiled.set(schema, replySchema);
    return replySchema;
  }

  /** @param signal The signal of the run. */
  async check(
    { text, toolCalls, finishReason }: Reply,
    signal: AbortSignal,
  ): Promise<CheckedReply> {
    if (toolCalls.length > 0) return { fault: "it calls a tool instead of answering" };
    const value = parseJson(withoutFence(text));
    if (value !== undefined) return this.#fitted(value, signal);
    const isCut = finishReason === "length";
    return { fault: isCut ? "it was cut at the model's token limit" : "it is not JSON" };
  }

  /** The request with the schema: in words for every model, as a field for those that know it. */
  asking({ messages, ...request }: ModelRequest): ModelRequest {
    const [first, ...others] = messages;
    const words = `Reply with JSON alone, without any other text, that fits this JSON Schema:\n${JSON.stringify(this.#schema)}`;
    const content = first?.role === "system" ? `${first.content}\n\n${words}` : words;
    const rest = first?.role === "system" ? others : messages;
    const all: Message[] = [{ role: "system", content }, ...rest];
    return { ...request, messages: all, replySchema: this.#schema };
  }

  /** What the model is told after a reply that does not fit. */
  correctionOf({ text }: Reply, fault: string): readonly Message[] {
    const words = `That reply does not fit the JSON Schema: ${fault}. Reply again, with JSON alone.`;
    return [assistantMessage(text), userMessage(words)];
  }

  /** A pattern of the schema may backtrack catastrophically on what the model wrote. */
  async #fitted(value: unknown, signal: AbortSignal): Promise<CheckedReply> {
    const validate = this.#validate;
    try {
      if (await stoppableCheck(() => validate(value), signal)) return { value };
    } catch (thrown) {
      if (thrown instanceof TookTooLong) return { fault: "it cannot be checked in time" };
      throw thrown;
    }
    const { instancePath = "", message, params } = validate.errors?.[0] ?? {};
    const extra = params?.additionalProperty;
    const name = extra === undefined ? "" : ` such as ${JSON.stringify(extra)}`;
    return { fault: `its ${placeOf(instancePath)} ${message}${name}` };
  }
}

const compiled = new WeakMap<JsonSchema, ReplySchema>();

async function validatorOf(schema: JsonSchema): Promise<ValidateFunction> {
  // With ajv's own $async, what does not fit would be thrown.
  if (!isObject(schema) || schema.$async !== undefined)
    throw new AgnoChatError("USAGE", "The JSON Schema is not an object, or is one with $async.", {
      hint: "Correct it, or see https://json-schema.org.",
    });
  const ajv = await ajvFor(schema.$schema ?? "");
  try {
    return ajv.compile(schema);
  } catch (cause) {
    const [said = ""] = String(cause)
      .replace(/^\w*Error: (schema is invalid: data\/?)?/, "")
      .split(", data/");
    throw new AgnoChatError("USAGE", `The JSON Schema is not valid: ${said}.`, {
      hint: "Correct it, or see https://json-schema.org.",
      cause,
    });
  }
}

/** Unknown keywords are remarks, as the standard says; unknown formats are, too. */
const OPTIONS = { strict: false, logger: false, allErrors: false } as const;

async function ajvFor(draft: unknown): Promise<Ajv> {
  const { default: formats } = await import("ajv-formats");
  return formats.default(await emptyAjvFor(draft));
}

async function emptyAjvFor(draft: unknown): Promise<Ajv> {
  const name = String(draft);
  if (name === "" || name.includes("2020-12"))
    return new (await import("ajv/dist/2020.js")).default.Ajv2020(OPTIONS);
  if (name.includes("draft-07")) return new (await import("ajv")).default.Ajv(OPTIONS);
  throw new AgnoChatError(
    "USAGE",
    `The JSON Schema is of an unknown draft: ${JSON.stringify(draft)}.`,
    {
      hint: "Known: draft-07 and 2020-12.",
    },
  );
}

/** Models like to put JSON into a code block. */
function withoutFence(text: string): string {
  const trimmed = text.trim();
  const isFenced = trimmed.startsWith(FENCE) && trimmed.endsWith(FENCE);
  return isFenced ? trimmed.slice(trimmed.indexOf("\n"), -FENCE.length) : text;
}

const FENCE = "```";

/** `/items/0/name` as `items.0.name`. */
const placeOf = (path: string): string =>
  path === ""
    ? "root"
    : path.slice(1).replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");
