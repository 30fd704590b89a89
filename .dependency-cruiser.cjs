/** One layer per line, the lowest first. A layer imports itself and what stands above it here. */
const LAYERS = [
  "^src/(?!index[.])[^/]+[.]ts$",
  "^src/(memory|models|tools)/",
  "^src/data/",
  "^src/agent/",
  "^src/server/",
  "^src/verify/",
  "^src/cli/",
];

/** Heavy or replaceable packages. Each is imported by one file, with `await import`. */
const HOMES = [
  { name: "yauzl", home: "^src/data/import/archive[.]ts$" },
  { name: "openai", home: "^src/models/openai/client[.]ts$" },
  { name: "@photostructure/sqlite", home: "^src/memory/stores/sqlite/driver[.]ts$" },
  { name: "pg", home: "^src/memory/stores/postgres/client[.]ts$" },
  { name: "jose", home: "^src/server/jwt-verifier[.]ts$" },
  { name: "ajv", home: "^src/agent/reply-schema[.]ts$" },
  { name: "prom-client", home: "^src/cli/serve/metrics[.]ts$" },
  { name: "@a2a-js/sdk", home: "^src/server/a2a-sdk[.]ts$" },
];

const pathOf = (name) => `(^|node_modules/)${name}(/|$)`;
const notTypes = { dependencyTypesNot: ["type-only", "type-import"] };

const upward = LAYERS.slice(0, -1).map((layer, index) => ({
  name: "imports-point-one-way",
  comment: "A lower layer must not know a higher one.",
  severity: "error",
  from: { path: layer },
  to: { path: LAYERS.slice(index + 1) },
}));

const homes = HOMES.map(({ name, home }) => ({
  name: `${name}-in-one-file`,
  severity: "error",
  from: { path: "^src/", pathNot: home },
  to: { path: pathOf(name), ...notTypes },
}));

module.exports = {
  forbidden: [
    ...upward,
    ...homes,
    {
      name: "heavy-packages-are-lazy",
      comment: "Use `await import(…)`, so that a command pays for what it uses.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: HOMES.map(({ name }) => pathOf(name)), dynamic: false, ...notTypes },
    },
    {
      name: "siblings-stay-strangers",
      comment: "A memory knows no model and no tool; a model knows no memory and no tool.",
      severity: "error",
      from: { path: "^src/(memory|models)/" },
      to: { path: "^src/(memory|models|tools)/", pathNot: "^src/$1/" },
    },
    {
      name: "a-store-is-rows-alone",
      comment:
        "A store knows the contract and its helpers, not the meaning on top of it nor another store.",
      severity: "error",
      from: { path: "^src/memory/stores/([^/]+)/" },
      to: {
        path: "^src/memory/",
        pathNot:
          "^src/memory/(stores/$1/|(store|copy-store|store-report|memory|clear-log|counts|failures|limits|measure|order|session-pages|search/(block|found|gram-plan)|state)[.]ts$)",
      },
    },
    {
      name: "library-without-programs",
      comment: "Whoever imports agno-chat must not get the command line or the server.",
      severity: "error",
      from: { path: "^src/(index[.]ts$|testing/)" },
      to: { path: "^src/(cli|server)/" },
    },
    {
      name: "testing-is-for-tests",
      comment: "`store check --conformance` lets users test an engine that we cannot.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(testing/|cli/commands/store/conformance[.]ts$)" },
      to: { path: "^src/testing/" },
    },
    {
      name: "rooms-of-the-command-line",
      comment: "Drawing and the terminal know no conversation; a conversation knows no command.",
      severity: "error",
      from: { path: "^src/cli/(terminal|render|settings|chat|setup)/" },
      to: { path: "^src/cli/(commands|script)/" },
    },
    {
      name: "terminal-below-chat",
      comment: "Keys, modes, editing and drawing serve any program, not this chat alone.",
      severity: "error",
      from: { path: "^src/cli/(terminal|render|settings)/" },
      to: { path: "^src/cli/(chat|setup)/" },
    },
    {
      name: "terminal-packages-in-cli",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/cli/" },
      to: { path: ["commander", "chalk", "conf", "@inquirer/prompts"].map(pathOf) },
    },
    {
      name: "no-development-packages",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"], ...notTypes },
    },
    {
      name: "no-cycles",
      comment: "Neither code nor types: what two files need goes into a third.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
  },
};
