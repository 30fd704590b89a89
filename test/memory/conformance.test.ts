import { describe, it } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { memoryConformance } from "../../src/testing/memory-conformance.js";
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
