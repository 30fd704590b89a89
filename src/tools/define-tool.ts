import { AgnoChatError } from "../errors.js";
import type { Awaitable } from "../memory/memory.js";
import type { JsonSchema } from "../models/model.js";
import {
  isStandardSchema,
  jsonSchemaOf,
  parseWith,
  type StandardSchema,
} from "./standard-schema.js";
import type { Tool, ToolContext } from "./tool.js";

/** What the model APIs accept as a tool's name. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** The longest a timer of Node can wait. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export interface ToolDefinition<Args, Parameters> {
  /** 1–64 of a–z, A–Z, 0–9, `_` and `-`. */
  readonly name: string;
  /** Tells the model when to call it, and what comes back. */
  readonly description: string;
  /** What it takes: a zod or other Standard Schema, or JSON Schema of an object. */
  readonly parameters: Parameters;
  /** Milliseconds after which a call is given up. Default: 30,000. */
  readonly timeoutMs?: number;
  /** Returns what the model gets to read: a string, or JSON. What it throws, the model reads too. */
  execute(args: Args, context: ToolContext): Awaitable<unknown>;
}

/**
 * A tool whose arguments are checked before it sees them. A Standard Schema gives them their type; JSON Schema cannot,
 * so say it: `defineTool<{ city: string }>(…)`.
 * @throws {AgnoChatError} `USAGE` for a name, time-out or parameters that cannot work
 */
export function defineTool<Args>(definition: ToolDefinition<Args, StandardSchema<Args>>): Tool;
export function defineTool<Args = Readonly<Record<string, unknown>>>(
  definition: ToolDefinition<Args, JsonSchema>,
): Tool;
export function defineTool(definition: ToolDefinition<unknown, StandardSchema | JsonSchema>): Tool {
  const { parameters: schema, ...rest } = definition;
  const execute: Tool["execute"] = (args, context) => definition.execute(args, context);
  if (!isStandardSchema(schema)) return checkedTool({ ...rest, parameters: schema, execute });
  const parse = (args: unknown) => parseWith(schema, args);
  return checkedTool({ ...rest, parameters: jsonSchemaOf(schema), parse, execute });
}

/**
 * The same tool, when a model can be told of it.
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
