import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

interface LockedPackage {
  readonly version: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock: Record<string, LockedPackage> = JSON.parse(
  await readFile("package-lock.json", "utf8"),
).packages;
const { dependencies, devDependencies } = JSON.parse(await readFile("package.json", "utf8"));

test("every version is exact, since newer ones in range have left Node 20", () => {
  for (const version of Object.values({ ...dependencies, ...devDependencies }))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

test("the lock names no addresses, so that any registry will do", () => {
  const withAddress = Object.entries(lock).filter(([, { resolved }]) => resolved !== undefined);
  expect(withAddress).toEqual([]);
});

test("the lock holds the hash of every package, also of other platforms", () => {
  const { "": _, ...packages } = lock;
  const withoutHash = Object.entries(packages).filter(
    ([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ""),
  );
  expect(withoutHash).toEqual([]);
});

test("the lock holds the packages of every platform, or npm ci refuses it", () => {
  const missing = Object.values(lock)
    .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    .filter((name) => !Object.keys(lock).some((place) => place.endsWith(`node_modules/${name}`)));
  expect(missing).toEqual([]);
});
