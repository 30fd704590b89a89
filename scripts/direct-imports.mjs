/** What esbuild writes for a lazily imported module that is in a chunk: it exports it again. */
const FORWARDING =
  /^.*\nimport \{([^}]*)\} from "\.\/(.*)";\n(?:import ".*";\n)*export \{([^}]*)\};\n$/;

const LAZY_IMPORT = /(?<=import\("(?:\.{1,2}\/)+(?:chunks\/)?)[^"/]+(?="\))/g;

const BUILTIN_IMPORT = /^import (\{[^}]*\}|\w+) from "(node:[\w/]+)";\n/gm;

const BARE_IMPORT = /^import "[./]+\/(?:chunks\/)?(.*)";\n/gm;

/** esbuild names each module before its code, but not its own helpers, which do nothing alone. */
const isHelpers = (text) => text.includes("\nvar __") && !/^ *\/\/ \w+[/:]/m.test(text);

/**
 * Spares the bundle the files that do nothing, or only forward to one chunk: each would be one more
 * to find, read and link, which takes as long as 10 kB of code.
 * @param {readonly import("esbuild").OutputFile[]} files
 * @returns {{ path: string, text: string }[]}
 */
export function importDirectly(files) {
  const chunks = files.filter(({ path }) => /[\\/]chunks[\\/]/.test(path));
  const helpers = new Set(chunks.filter(({ text }) => isHelpers(text)).map(nameOf));
  const targets = new Map(
    chunks.flatMap((file) => {
      const [, imported, chunk, exported] = FORWARDING.exec(file.text) ?? [];
      return chunk !== undefined && imported === exported ? [[nameOf(file), chunk]] : [];
    }),
  );
  return files
    .filter((file) => !targets.has(nameOf(file)))
    .map(({ path, text }) => ({
      path,
      text: takingBuiltins(text)
        .replace(BARE_IMPORT, (line, file) => (helpers.has(file) ? "" : line))
        .replace(LAZY_IMPORT, (file) => targets.get(file) ?? file),
    }));
}

/**
 * To import one of Node's own modules evaluates all that it exports, which loads more modules. So
 * what is needed is taken from it instead, at the top of the file, as an import would be.
 */
function takingBuiltins(text) {
  const taken = [];
  const rest = text.replace(BUILTIN_IMPORT, (_, names, module) => {
    taken.push(
      `const ${names.replaceAll(" as ", ": ")} = process.getBuiltinModule("${module}");\n`,
    );
    return "";
  });
  const [banner] = /^.*\n/.exec(rest) ?? [""];
  return [banner, ...taken, rest.slice(banner.length)].join("");
}

const nameOf = ({ path }) => path.split(/[\\/]/).at(-1);
