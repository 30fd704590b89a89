import type { SessionState } from "../../memory/memory.js";
import type { ModelEvent, ModelRequest, ToolSpec } from "../../models/model.js";
import type { Clearer, Outgoing, Reader, Reading } from "../doors/door.js";
import type { Whose } from "../finding.js";

/** An agent, as far as it can be sent to another process. */
export interface SentAgent {
  readonly instructions: string;
  readonly tools: readonly ToolSpec[];
}

/** The ways into the other process's agent, and to read its memory, by name. */
export interface ChildDoors {
  readonly doors: readonly string[];
  readonly readers: readonly Pick<Reader, "name" | "ofUser">[];
  readonly clearers: readonly string[];
}

/** What the program in `child.ts` offers to the process that started it. */
export interface ChildFunctions {
  /** Opens the memory that `spec` names, with an agent over it. */
  open(spec: string, agent: SentAgent): Promise<ChildDoors>;
  send(door: string, message: Outgoing): Promise<string>;
  read(reader: string, whose: Whose): Promise<Reading>;
  clear(clearer: string, ...whose: Parameters<Clearer["clear"]>): Promise<void>;
  close(): Promise<void>;
  readonly [name: string]: (...args: never[]) => unknown;
}

/** Who called a tool, with a copy of the session state. */
export interface SentContext extends Whose {
  readonly runId: string;
  readonly state: SessionState;
}

/** What the process that started it offers in return: the model and the tools. */
export interface ParentFunctions {
  ask(request: ModelRequest): Promise<readonly ModelEvent[]>;
  /** Returns the result and the keys of the session state that the tool set. */
  callTool(
    name: string,
    args: unknown,
    context: SentContext,
  ): Promise<{ readonly result: unknown; readonly changes: SessionState }>;
  readonly [name: string]: (...args: never[]) => unknown;
}
