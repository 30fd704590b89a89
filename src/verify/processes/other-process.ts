import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Reader } from "../doors/door.js";
import { packagePath } from "../package-path.js";
import { Calls, type Frame } from "./calls.js";
import type { ChildFunctions } from "./child-functions.js";
import { bareEnvironment } from "./environment.js";

/** Another process on the same store. */
export interface OtherProcess {
  readonly readers: readonly Reader[];
  /** Closes its memory, and ends it. */
  close(): Promise<void>;
}

/**
 * Starts a process and opens a memory in it.
 * @param signal Kills the process.
 * @throws {AgnoChatError} what opening the memory failed with
 */
export async function startProcess(spec: string, signal: AbortSignal): Promise<OtherProcess> {
  signal.throwIfAborted();
  const child = fork(packagePath("dist/verify/child.js"), {
    ...{ env: bareEnvironment(), execArgv: [], serialization: "advanced" },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const calls = new Calls<ChildFunctions>((frame) => void child.send(frame, () => {}));
  const ended = endOf(child).then((reason) => {
    calls.end(reason);
    signal.removeEventListener("abort", kill);
  });
  const kill = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", kill);
  child.on("message", (frame) => void calls.receive(frame as Frame));
  const close = async (): Promise<void> => {
    await calls.call("close").catch(kill);
    if (child.connected) child.disconnect();
    await ended;
  };
  try {
    // The name of a store may hold a password, so it is no argument that other users could list.
    const readers = await calls.call("open", spec);
    return { close, readers: readers.map((name) => readerOf(name, calls)) };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** Resolves once a process is gone and everything it said was heard. */
async function endOf(child: ChildProcess): Promise<Error> {
  try {
    const [[code, by]] = await Promise.all([once(child, "exit"), once(child, "disconnect")]);
    return new Error(`The process ended with ${code ?? by}.`);
  } catch (thrown) {
    return thrown as Error;
  }
}

const readerOf = (name: string, calls: Calls<ChildFunctions>): Reader => ({
  name: `${name} in another process`,
  read: (whose) => calls.call("read", name, whose),
});
