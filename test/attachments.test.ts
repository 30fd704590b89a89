import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attachedFiles, MOST_FILES, type NewAttachment } from "../src/attachments.js";
import { GIF, JPEG, PNG, WEBP } from "./support/pictures.js";

const typeOf = (content: string | Uint8Array, name = "a file"): string | undefined =>
  attachedFiles([{ name, content }]).attachments[0]?.type;

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("what a file is", () => {
  it("is told by its first bytes, never by its name", () => {
    const kinds: [Uint8Array, string][] = [
      [PNG, "image/png"],
      [JPEG, "image/jpeg"],
      [GIF, "image/gif"],
      [WEBP, "image/webp"],
    ];
    for (const [content, type] of kinds) expect(typeOf(content, "notes.txt")).toBe(type);
    expect(typeOf("just words", "photo.png")).toBe("text/plain");
    expect(typeOf("<svg></svg>", "drawing.svg")).toBe("text/plain");
  });

  it("is text for any text in UTF-8, with or without a mark at its start", () => {
    expect(typeOf(bytes(0xef, 0xbb, 0xbf, 0x68, 0x69))).toBe("text/plain");
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
        fc.pre(text.isWellFormed() && !text.includes("\0") && !text.startsWith("%PDF-"));
        expect(typeOf(text)).toBe(typeOf(new TextEncoder().encode(text)));
      }),
    );
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["text in UTF-16", bytes(0xff, 0xfe, 0x68, 0), /"a file" is text in UTF-16\.$/],
    ["the other UTF-16", bytes(0xfe, 0xff, 0, 0x68), /"a file" is text in UTF-16\.$/],
    ["half a character", bytes(0x68, 0xe3, 0x81), /neither text in UTF-8 nor a picture/],
    ["Latin-1", bytes(0x63, 0x61, 0x66, 0xe9), /neither text in UTF-8 nor a picture/],
    ["a program", bytes(0x7f, 0x45, 0x4c, 0x46, 0, 1), /neither text in UTF-8 nor a picture/],
    ["a bitmap", bytes(0x42, 0x4d, 0, 0, 0), /neither text in UTF-8 nor a picture/],
    ["a PDF", new TextEncoder().encode("%PDF-1.7 plain"), /is a PDF, which models are not sent/],
    ["nothing", bytes(), /"a file" is empty\.$/],
  ])("is refused clearly if it is %s", (_, content, message) => {
    expect(() => typeOf(content)).toThrow(message);
  });
});

describe("files of a message", () => {
  it("are stored as they are, named by the hash of their bytes", () => {
    const content = new TextEncoder().encode("the plan");
    const { attachments, contents } = attachedFiles([
      { name: "plan.txt", content },
      { name: "again.txt", content: "the plan" },
    ]);
    const hash = "aab8f06fecd1c041e9a3d5a86114f9e522b546918db8503a045fe4a423b3642a";
    expect(attachments).toEqual([
      { name: "plan.txt", type: "text/plain", bytes: 8, hash },
      { name: "again.txt", type: "text/plain", bytes: 8, hash },
    ]);
    expect([...contents.values()]).toEqual([content]);
    content.fill(0);
    expect(new TextDecoder().decode([...contents.values()][0])).toBe("the plan");
  });

  it.each<[string, readonly NewAttachment[], RegExp]>([
    ["too many", Array(MOST_FILES + 1).fill({ name: "a", content: "b" }), /takes 10 files at most/],
    ["a text too long", [{ name: "a", content: "x".repeat(1_000_001) }], /a text may have 1 MB/],
    [
      "a picture too large",
      [{ name: "a", content: large(PNG, 10_000_001) }],
      /picture may have 10/,
    ],
    [
      "too much in all",
      Array(3).fill({ name: "a", content: large(PNG, 9_000_000) }),
      /20 MB in all/,
    ],
    ["no name", [{ name: " ", content: "b" }], /needs a name/],
    ["a name too long", [{ name: "x".repeat(256), content: "b" }], /needs a name/],
    ["a name that moves the cursor", [{ name: "a\u001b[2J", content: "b" }], /needs a name/],
    ["half a character", [{ name: "a", content: "\ud800" }], /neither text nor bytes/],
    ["no content", [{ name: "a" } as NewAttachment], /neither text nor bytes/],
    ["no list", "a" as never, /are not a list/],
  ])("are refused: %s", (_, files, message) => {
    expect(() => attachedFiles(files)).toThrow(message);
    expect(() => attachedFiles(files)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });
});

function large(start: Uint8Array, size: number): Uint8Array {
  const content = new Uint8Array(size);
  content.set(start);
  return content;
}
