import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { onAbort } from "../../abort.js";
import { packagePath } from "../../data/package-path.js";
import type { Model } from "../../models/model.js";
import { toolTable } from "../../tools/call-tool.js";
import type { ToolContext, Toolkit } from "../../tools/tool.js";
import type { Clearer, Door, Reader } from "../doors/door.js";
import { whoseOf } from "../finding.js";
import { collected } from "../model-events.js";
import { Calls, type Frame } from "./calls.js";
import type { ChildFunctions, ParentFunctions, SentContext } from "./child-functions.js";
import { bareEnvironment } from "./environment.js";

/** Another process with an agent on the same store. */
export interface OtherProcess {
  readonly doors: readonly Door[];
  readonly readers: readonly Reader[];
  readonly clearers: readonly Clearer[];
  /** Ends it at once. What is under way rejects with `ProcessEnded`. */
  kill(): void;
  /** Closes its memory, and ends it. */
  close(): Promise<void>;
}

/** The process ended before it answered. */
export class ProcessEnded extends Error {}

/** What the agent of another process is made of; model and tools stay in this one. */
export interface SharedParts {
  readonly model: Model;
  readonly toolkits: readonly Toolkit[];
  readonly instructions: string;
}

/** Starts a process with an agent of these parts. */
export type StartProcess = (parts: SharedParts) => Promise<OtherProcess>;

/**
 * Starts processes that open the memory of `spec`.
 * @param signal Kills them.
 */
export const processesOn =
  (spec: string, signal: AbortSignal): StartProcess =>
  async (parts) => {
    signal.throwIfAborted();
    const child = fork(packagePath("dist/verify/child.js"), {
      ...{ env: bareEnvironment(), execArgv: [], serialization: "advanced" },
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    const gone = new AbortController();
    const post = (frame: Frame): void => void child.send(frame, () => {});
    const calls = new Calls<ChildFunctions>(post, functionsFor(parts, gone.signal));
    const kill = (): void => void child.kill("SIGKILL");
    const forget = onAbort(signal, kill);
    const ended = endOf(child).then((reason) => {
      gone.abort(reason);
      calls.end(reason);
      forget();
    });
    child.on("message", (frame) => void calls.receive(frame as Frame));
    const close = async (): Promise<void> => {
      await calls.call("close").catch(kill);
      if (child.connected) child.disconnect();
      await ended;
    };
    try {
      return { ...(await openIn(calls, spec, parts)), kill, close };
    } catch (thrown) {
      await close();
      throw thrown;
    }
  };

/** The name of a store may hold a password, so it is no argument that other users could list. */
async function openIn(
  calls: Calls<ChildFunctions>,
  spec: string,
  { instructions, toolkits }: SharedParts,
): Promise<Pick<OtherProcess, "doors" | "readers" | "clearers">> {
  const tools = Array.from(toolTable(toolkits).values(), ({ name, description, parameters }) => {
    return { name, description, parameters };
  });
  const names = await calls.call("open", spec, { instructions, tools });
  return {
    doors: names.doors.map((name) => ({
      name: inAnother(name),
      send: ({ text, ...whose }) => calls.call("send", name, { ...whoseOf(whose), text }),
    })),
    readers: names.readers.map(({ name, ...rest }) => ({
      ...rest,
      name: inAnother(name),
      read: (whose) => calls.call("read", name, whose),
    })),
    clearers: names.clearers.map((name) => ({
      name: inAnother(name),
      clear: (...whose) => calls.call("clear", name, ...whose),
    })),
  };
}

const inAnother = (name: string): string => `${name} in another process`;

/** @param gone Aborts when the other process is no more. */
function functionsFor({ model, toolkits }: SharedParts, gone: AbortSignal): ParentFunctions {
  const tools = toolTable(toolkits);
  return {
    ask: (request) => collected(model.stream(request, { signal: gone })),
    async callTool(name, args, context) {
      const { changes, ...local } = localContext(context);
      return { result: await tools.get(name)?.execute(args, { ...local, signal: gone }), changes };
    },
  };
}

/** A session state in this process, which notes what is set. */
function localContext({ state: before, ...whose }: SentContext) {
  const changes: ToolContext["state"] = {};
  const state = new Proxy(before, {
    set(target, key, value) {
      changes[String(key)] = value;
      return Reflect.set(target, key, value);
    },
  });
  const update: ToolContext["update"] = (key, change) => {
    const value = change(state[key]);
    if (value !== undefined) state[key] = value;
    return value;
  };
  return { ...whose, state, update, changes };
}

/** Resolves once a process has ended and all its messages have been handled. */
async function endOf(child: ChildProcess): Promise<Error> {
  try {
    const [[code, by]] = await Promise.all([once(child, "exit"), once(child, "disconnect")]);
    return new ProcessEnded(`The process ended with ${code ?? by}.`);
  } catch (thrown) {
    return thrown as Error;
  }
}
