import { describe, it } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { InMemoryStore } from "../../src/memory/stores/in-memory/in-memory-store.js";
import { SqliteStore } from "../../src/memory/stores/sqlite/sqlite-store.js";
import { memoryConformance } from "../../src/testing/memory-conformance.js";
import { storeConformance } from "../../src/testing/store-conformance.js";
import { temporaryFile } from "../support/memory-file.js";

memoryConformance({
  name: "InMemory",
  open: ({ now }) => new InMemory(Infinity, { now }),
  describe,
  it,
});

memoryConformance({
  name: "SqliteMemory",
  open: ({ now }) => new SqliteMemory(temporaryFile(), { now }),
  describe,
  it,
});

storeConformance({
  name: "InMemoryStore",
  open: () => new InMemoryStore(Infinity),
  describe,
  it,
});

let file = "";

storeConformance({
  name: "SqliteStore",
  open: () => {
    file = temporaryFile();
    return new SqliteStore(file);
  },
  reopen: () => new SqliteStore(file),
  describe,
  it,
});
