import type { Awaitable } from "../memory/memory.js";

type Test = () => Promise<void>;

/** How a suite is run: the test functions of vitest, node:test, mocha or jest. */
export interface SuiteRunner {
  readonly describe: (title: string, body: () => void) => unknown;
  readonly it: ((title: string, test: Test) => unknown) & {
    readonly skip: (title: string, test: Test) => unknown;
  };
  /** Promises that cannot be kept: the title of the test, and why. It is then skipped and says so. */
  readonly unsupported?: Readonly<Record<string, string>>;
}

/** Tests by their title. */
export type Promises<Bench> = Readonly<Record<string, (bench: Bench) => Promise<void>>>;

export interface Suite<Bench> {
  readonly title: string;
  readonly groups: Readonly<Record<string, Promises<Bench>>>;
  /** What one test works on. */
  readonly open: () => Awaitable<Bench>;
  readonly close: (bench: Bench) => Awaitable<void>;
}

/**
 * Declares every test of a suite.
 * @throws {Error} when `unsupported` names no test
 */
export function declareSuite<Bench>(
  { title, groups, open, close }: Suite<Bench>,
  { describe, it, unsupported = {} }: SuiteRunner,
): void {
  const known = new Set(Object.values(groups).flatMap(Object.keys));
  const stale = Object.keys(unsupported).find((each) => !known.has(each));
  if (stale !== undefined)
    throw new Error(`No conformance test is called ${JSON.stringify(stale)}.`);

  const declare = (name: string, check: (bench: Bench) => Promise<void>): void => {
    const test = async (): Promise<void> => {
      const bench = await open();
      try {
        await check(bench);
      } finally {
        await close(bench);
      }
    };
    const reason = Object.hasOwn(unsupported, name) ? unsupported[name] : undefined;
    if (reason === undefined) it(name, test);
    else it.skip(`[because ${reason}] ${name}`, test);
  };

  describe(title, () => {
    for (const [group, promises] of Object.entries(groups))
      describe(group, () => {
        for (const [name, check] of Object.entries(promises)) declare(name, check);
      });
  });
}
