import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AuditFile } from "../../../src/cli/serve/audit-file.js";

let folder: string;
let clock: number;
let told: string[];
const opened: AuditFile[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "agno-chat-audit-"));
  clock = Date.UTC(2026, 10, 26);
  told = [];
});
afterEach(() => {
  for (const file of opened.splice(0)) file.close();
  rmSync(folder, { recursive: true });
});

const place = (): string => path.join(folder, "audit.log");

function open(rotateAt = 1_000_000): AuditFile {
  const file = new AuditFile(place(), {
    tell: (text) => void told.push(text),
    now: () => clock,
    rotateAt,
  });
  opened.push(file);
  return file;
}

const textIn = (name: string): string => readFileSync(path.join(folder, name), "utf8");

test("a line is in the file when append returns, and only its owner can read it", () => {
  const file = open();
  file.append("one\n");
  expect(textIn("audit.log")).toBe("one\n");
  expect(statSync(place()).mode & 0o777).toBe(0o600);
});

test("lines are added to those of an earlier server", () => {
  open().append("one\n");
  open().append("two\n");
  expect(textIn("audit.log")).toBe("one\ntwo\n");
});

test("a full file is renamed after the time, and no line is lost", () => {
  const file = open(100);
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index}\n`);
  for (const line of lines) {
    clock += 10;
    file.append(line);
  }
  const names = readdirSync(folder).sort();
  expect(names.length).toBeGreaterThan(5);
  expect(names[1]).toMatch(/^audit\.log\.20261126T0000\d\d\.\d{3}Z$/);
  const [current = "", ...rotated] = names;
  expect([...rotated, current].map(textIn).join("")).toBe(lines.join(""));
});

test("a file that logrotate has renamed is opened anew within a second", () => {
  const file = open();
  file.append("one\n");
  renameSync(place(), `${place()}.1`);
  file.append("two\n");
  clock += 1000;
  file.append("three\n");
  expect(textIn("audit.log.1")).toBe("one\ntwo\n");
  expect(textIn("audit.log")).toBe("three\n");
});

test.runIf(process.platform === "linux")(
  "a full disk is told once, and once when it has room again",
  () => {
    symlinkSync("/dev/full", place());
    const file = open();
    for (let index = 0; index < 10; index++) file.append("lost\n");
    expect(told).toEqual([
      "Cannot write the audit file: no space left on device (ENOSPC). Requests go on without a record.",
    ]);
    rmSync(place());
    clock += 1000;
    file.append("kept\n");
    file.append("kept too\n");
    expect(textIn("audit.log")).toBe("kept\nkept too\n");
    expect(told).toHaveLength(2);
    expect(told[1]).toContain("written again");
  },
);

test("a file that cannot be opened is refused, with its name", () => {
  const absent = path.join(folder, "absent", "audit.log");
  expect(() => new AuditFile(absent, { tell: () => {} })).toThrow(/absent.*ENOENT/);
});
