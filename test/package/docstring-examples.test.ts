import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../support/free-port.js";
import { ModelServer } from "../support/model-server.js";
import { ENTRIES, faultsIn, programOf } from "../support/typescript.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The model server that examples name; here it is one on loopback. */
const SERVER_URL = "http://localhost:11434/v1";

/** The port that examples listen on; here each has one of its own. */
const PORT = "4100";

/** Milliseconds in which an example must have ended on its own, on a busy machine. */
const timeout = 120_000;

const run = promisify(execFile);

interface Example {
  /** What it stands at, such as `Agent`, with a number when that has several. */
  readonly name: string;
  readonly code: string;
}

/** An example is run, and imports all that its words may mean. */
const compilerOptions = {
  noEmit: false,
  verbatimModuleSyntax: false,
  isolatedModules: false,
  noUnusedLocals: false,
};

const entries = Object.values(ENTRIES).map((path) => join(root, path));
const program = programOf(entries, { compilerOptions });
const exported = exportsOf(program);
const examples = examplesIn(program);

it("has an example at every function and class that it exports", () => {
  const without = exported.filter(({ isCallable, hasExample }) => isCallable && !hasExample);
  expect(without.map(({ name }) => name)).toEqual([]);
});

describe("the example of", () => {
  const folder = mkdtempSync(join(tmpdir(), "agno-chat-examples-"));
  const fileOf = ({ name }: Example, extension: string) => join(folder, `${name}.${extension}`);
  let server: ModelServer;
  let failures: Map<string, string>;

  beforeAll(async () => {
    server = await ModelServer.start();
    mkdirSync(join(folder, "node_modules"));
    for (const [name, target] of [
      ["agno-chat", "."],
      ["zod", "node_modules/zod"],
      ["@types", "node_modules/@types"],
    ] as const)
      symlinkSync(join(root, target), join(folder, "node_modules", name));
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    copyFileSync(join(root, "examples/file-store.mjs"), join(folder, "file-store.mjs"));
    for (const example of examples) {
      const port = String(await freePort());
      const code = example.code.replaceAll(SERVER_URL, server.url).replaceAll(PORT, port);
      writeFileSync(fileOf(example, "ts"), `${importsFor(code)}\n${code}\n`);
    }
    const files = examples.map((example) => fileOf(example, "ts"));
    const compiled = programOf([...entries, ...files], { compilerOptions, before: program });
    failures = faultsIn(compiled, files);
    for (const file of files) compiled.emit(compiled.getSourceFile(file));
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it.concurrent.each(examples.map((example) => [example.name, example] as const))(
    "%s compiles, runs and prints what its comments say",
    async (_, example) => {
      expect(failures.get(fileOf(example, "ts"))).toBeUndefined();
      const cwd = mkdtempSync(join(folder, "run-"));
      const { stdout } = await run(process.execPath, [fileOf(example, "js")], { cwd, timeout });
      const lines = stdout.split("\n");
      for (const [, said] of example.code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm))
        expect(lines).toContain(said);
    },
    timeout,
  );
});

/** Every `@example` in the source. */
function examplesIn(program: ts.Program): Example[] {
  const found: Example[] = [];
  const visit = (node: ts.Node): void => {
    for (const [index, code] of examplesOf(node).entries())
      found.push({ name: nameOf(node) + (index === 0 ? "" : ` ${index + 1}`), code });
    ts.forEachChild(node, visit);
  };
  for (const source of program.getSourceFiles())
    if (source.fileName.startsWith(join(root, "src"))) visit(source);
  return found;
}

function examplesOf(node: ts.Node): string[] {
  return ts
    .getJSDocCommentsAndTags(node)
    .filter((comment) => ts.isJSDoc(comment) && comment.parent === node)
    .flatMap((comment) => (comment as ts.JSDoc).tags ?? [])
    .filter(({ tagName }) => tagName.text === "example")
    .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? "");
}

function nameOf(node: ts.Node): string {
  const declaration = ts.isVariableStatement(node) ? node.declarationList.declarations[0] : node;
  return ts.getNameOfDeclaration(declaration as ts.Declaration)?.getText() ?? "unnamed";
}

interface Export {
  readonly name: string;
  readonly entry: string;
  /** A function, or a class. */
  readonly isCallable: boolean;
  readonly hasExample: boolean;
}

/** Everything that the package exports, types too. */
function exportsOf(program: ts.Program): Export[] {
  const checker = program.getTypeChecker();
  return Object.entries(ENTRIES).flatMap(([entry, path]) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(join(root, path)) as ts.Node);
    return checker.getExportsOfModule(module as ts.Symbol).map((symbol) => {
      const target =
        symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return {
        name: symbol.name,
        entry,
        isCallable: isCallable(target, checker),
        hasExample: target.getJsDocTags(checker).some(({ name }) => name === "example"),
      };
    });
  });
}

function isCallable(symbol: ts.Symbol, checker: ts.TypeChecker): boolean {
  if (symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Function)) return true;
  if ((symbol.flags & ts.SymbolFlags.Variable) === 0) return false;
  return checker.getTypeOfSymbol(symbol).getCallSignatures().length > 0;
}

/** Imports of the names of the package that the code has in it. */
function importsFor(code: string): string {
  const words = new Set(code.match(/\w+/g));
  return Object.keys(ENTRIES)
    .map((entry) => {
      const names = exported.filter((each) => each.entry === entry && words.has(each.name));
      return `import { ${names.map(({ name }) => name).join(", ")} } from "${entry}";`;
    })
    .join("\n");
}
