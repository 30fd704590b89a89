import { AgnoChatError } from "../errors.js";
import type { Awaitable } from "../memory/memory.js";
import type { JsonSchema } from "../models/model.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import {
  isStandardSchema,
  jsonSchemaOf,
  parseWith,
  type StandardSchema,
} from "./standard-schema.js";
import type { Tool, ToolContext } from "./tool.js";

/** The tool names that model APIs accept. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** The longest delay of a timer in Node. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export interface ToolDefinition<Args, Parameters> {
  /** 1–64 of a–z, A–Z, 0–9, `_` and `-`. */
  readonly name: string;
  /** Tells the model when to call the tool and what it returns. */
  readonly description: string;
  /** A schema of an object: zod, any other Standard Schema, or JSON Schema. */
  readonly parameters: Parameters;
  /** Milliseconds until a call times out. Default: 30,000. */
  readonly timeoutMs?: number;
  /** See `Tool.needsMemory`. Default: false. */
  readonly needsMemory?: boolean;
  /**
   * Returns what the model will read: a string or JSON. The model also reads the message of a
   * throw.
   */
  execute(args: Args, context: ToolContext): Awaitable<unknown>;
}

type AnyDefinition = ToolDefinition<unknown, StandardSchema | JsonSchema>;

const KEYS: KnownKeys<AnyDefinition> = {
  name: true,
  description: true,
  parameters: true,
  timeoutMs: true,
  needsMemory: true,
  execute: true,
};

/**
 * Defines a tool whose arguments are validated before each call. A Standard Schema also types them;
 * for JSON Schema, state the type: `defineTool<{ city: string }>(…)`.
 * @example
 * import { z } from "zod";
 *
 * const weather = defineTool({
 *   name: "weather",
 *   description: "Returns the weather of a city.",
 *   parameters: z.object({ city: z.string() }),
 *   execute: ({ city }) => `Sunny in ${city}.`,
 * });
 * const toolkits = [{ name: "outdoors", tools: [weather] }];
 * const agent = new Agent({ model: new DemoModel(), toolkits });
 * @throws {AgnoChatError} `USAGE` for an invalid name, time-out or parameters, or an unknown key
 */
export function defineTool<Args>(definition: ToolDefinition<Args, StandardSchema<Args>>): Tool;
export function defineTool<Args = Readonly<Record<string, unknown>>>(
  definition: ToolDefinition<Args, JsonSchema>,
): Tool;
export function defineTool(definition: AnyDefinition): Tool {
  refuseUnknownKeys(definition, KEYS, "defineTool");
  const { parameters: schema, ...rest } = definition;
  const execute: Tool["execute"] = (args, context) => definition.execute(args, context);
  if (!isStandardSchema(schema)) return checkedTool({ ...rest, parameters: schema, execute });
  const parse = (args: unknown) => parseWith(schema, args);
  return checkedTool({ ...rest, parameters: jsonSchemaOf(schema), parse, execute });
}

/**
 * Returns the tool if it is valid.
 * @throws {AgnoChatError} `USAGE`
 */
export function checkedTool(tool: Tool): Tool {
  const { name, description, parameters, timeoutMs = 1, execute } = tool;
  if (!NAME.test(name)) throw refused(name, "its name must be 1–64 letters, digits, _ or -");
  if (typeof description !== "string") throw refused(name, "it has no description");
  if (parameters?.type !== "object")
    throw refused(name, "its parameters must be the schema of an object");
  if (typeof execute !== "function") throw refused(name, "it has no execute function");
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS)
    throw refused(name, `its timeoutMs must be a whole number from 1 to ${MAX_TIMEOUT_MS}`);
  return tool;
}

const refused = (name: string, why: string) =>
  new AgnoChatError("USAGE", `The tool ${JSON.stringify(name)} cannot be used: ${why}.`);
