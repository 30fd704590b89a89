import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));

export const ENTRIES = {
  "agno-chat": "src/index.ts",
  "agno-chat/server": "src/server/index.ts",
  "agno-chat/testing": "src/testing/index.ts",
} as const;

export interface ProgramOptions {
  /** Its files are not read again. */
  readonly before?: ts.Program;
  /** In place of some of ours. */
  readonly compilerOptions?: ts.CompilerOptions;
}

/** A program of these files, as strict as ours, in which the package's names mean its source. */
export function programOf(
  files: readonly string[],
  { before, compilerOptions = {} }: ProgramOptions = {},
): ts.Program {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const paths = Object.fromEntries(
    Object.entries(ENTRIES).map(([name, path]) => [name, [join(root, path)]]),
  );
  return ts.createProgram({
    rootNames: [...files],
    options: { ...options, paths, ...compilerOptions },
    ...(before === undefined ? {} : { oldProgram: before }),
  });
}

/** What is wrong in these files of a program, by file. */
export function faultsIn(program: ts.Program, files: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of files) {
    const source = program.getSourceFile(file);
    if (source === undefined) throw new Error(`${file} was not read`);
    const faults = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ];
    if (faults.length > 0) found.set(file, textOf(faults));
  }
  return found;
}

const textOf = (faults: readonly ts.Diagnostic[]): string =>
  ts.formatDiagnostics(faults, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => "\n",
  });
