import type { Awaitable } from "../memory/memory.js";
import type { KnownKeys } from "../options.js";

type Test = () => Promise<void>;

/** `describe` and `it` of vitest, node:test, mocha or jest. */
export interface SuiteRunner {
  readonly describe: (title: string, body: () => void) => unknown;
  readonly it: ((title: string, test: Test) => unknown) & {
    readonly skip: (title: string, test: Test) => unknown;
  };
  /**
   * Promises that the tested code cannot keep: the title of the test, and the reason. The test is
   * skipped, and its title shows the reason.
   */
  readonly unsupported?: Readonly<Record<string, string>>;
}

export const RUNNER_KEYS: KnownKeys<SuiteRunner> = {
  describe: true,
  it: true,
  unsupported: true,
};

/** Tests by title. */
export type Checks<Fixture> = Readonly<Record<string, (fixture: Fixture) => Promise<void>>>;

export interface Suite<Fixture> {
  readonly title: string;
  readonly groups: Readonly<Record<string, Checks<Fixture>>>;
  /** What one test works on: opened before it, closed after it. */
  readonly open: () => Awaitable<Fixture>;
  readonly close: (fixture: Fixture) => Awaitable<void>;
}

/**
 * Declares every test of a suite.
 * @throws {Error} when `unsupported` names a test that does not exist
 */
export function declareSuite<Fixture>(
  { title, groups, open, close }: Suite<Fixture>,
  { describe, it, unsupported = {} }: SuiteRunner,
): void {
  const known = new Set(Object.values(groups).flatMap(Object.keys));
  const stale = Object.keys(unsupported).find((each) => !known.has(each));
  if (stale !== undefined)
    throw new Error(`There is no conformance test with the title ${JSON.stringify(stale)}.`);

  const declare = (name: string, check: (fixture: Fixture) => Promise<void>): void => {
    const test = async (): Promise<void> => {
      const fixture = await open();
      try {
        await check(fixture);
      } finally {
        await close(fixture);
      }
    };
    const reason = Object.hasOwn(unsupported, name) ? unsupported[name] : undefined;
    if (reason === undefined) it(name, test);
    else it.skip(`${name} (unsupported: ${reason})`, test);
  };

  describe(title, () => {
    for (const [group, checks] of Object.entries(groups))
      describe(group, () => {
        for (const [name, check] of Object.entries(checks)) declare(name, check);
      });
  });
}
