import vm from "node:vm";

/** Work that did not end in its time was stopped. */
export class TookTooLong extends Error {
  override readonly name = "TookTooLong";

  constructor(milliseconds: number) {
    super(`it took longer than ${milliseconds} ms and was stopped`);
  }
}

interface Sandbox {
  readonly context: { work: (() => unknown) | undefined };
  readonly script: vm.Script;
}

let place: Sandbox | undefined;

/**
 * Does work that is not waited for, such as matching a regular expression that somebody else wrote, and stops it where it
 * takes too long: nothing else runs meanwhile, no signal handler and no timer. Costs some 0.2 ms.
 * @throws {TookTooLong} or what the work throws
 */
export function within<T>(milliseconds: number, work: () => T): T {
  place ??= {
    context: vm.createContext({ work: undefined }) as Sandbox["context"],
    script: new vm.Script("work()"),
  };
  const { context, script } = place;
  context.work = work;
  try {
    return script.runInContext(context, { timeout: milliseconds }) as T;
  } catch (thrown) {
    throw isTimeout(thrown) ? new TookTooLong(milliseconds) : thrown;
  } finally {
    context.work = undefined;
  }
}

const isTimeout = (thrown: unknown): boolean =>
  (thrown as NodeJS.ErrnoException | undefined)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
