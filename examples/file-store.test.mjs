// Checks the store against every rule: node --test examples/file-store.test.mjs
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { storeConformance } from "agno-chat/testing";
import { FileStore } from "./file-store.mjs";

const folder = mkdtempSync(path.join(tmpdir(), "file-store-"));
after(() => rmSync(folder, { recursive: true }));

let stores = 0;
storeConformance({
  name: "FileStore",
  open: () => new FileStore(path.join(folder, String(++stores))),
  reopen: () => new FileStore(path.join(folder, String(stores))),
  describe,
  it,
});
