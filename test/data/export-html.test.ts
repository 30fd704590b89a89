import fc from "fast-check";
import { expect, test } from "vitest";
import { UserExport } from "../../src/data/user-export.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { assistantMessage, toolMessage, userMessage } from "../../src/messages.js";
import { sanitise } from "../../src/sanitise.js";
import { HOSTILE } from "../support/hostile-text.js";
import { wildText } from "../support/wild-text.js";

/** Pieces that mean something to a browser, to the page itself or to a terminal. */
const LIVE = [
  ...HOSTILE,
  ...[
    "<script>alert(1)</script>",
    "</pre>",
    "</div></article>",
    "<!--",
    "]]>",
    "<img src=x onerror=a>",
  ],
  ...['" onmouseover="a', "' x='", "&lt;", "&#60;script&#62;", "javascript:a", "</style>", "\0<b>"],
  ...["```\n", "```html\n", "\n```", "\n", "\x1b]0;", "\x9d", "<"],
];

const text = fc
  .array(fc.oneof(fc.constantFrom(...LIVE), wildText(20)), { maxLength: 8 })
  .map((pieces) => pieces.join(""));

async function pageOf(memory: InMemory): Promise<string> {
  let page = "";
  for await (const piece of new UserExport(memory, "alice", { format: "html" })) page += piece;
  return page;
}

/** All tags, as a browser finds them: it sees one wherever "<" stands. */
const tagsIn = (page: string): string[] => page.match(/<[^>]*>?/g) ?? [];

const OURS =
  /^<(\/?(article|h2|time|div|pre|p|code|body|html)|article class="(user|assistant|tool)"|time datetime="[\d:.TZ-]+"|div dir="auto"|p class="note")>$/;

const unescaped = (html: string): string =>
  html.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code));

test("no text of anybody becomes a tag, an attribute or a script of the page", async () => {
  await fc.assert(
    fc.asyncProperty(text, text, async (said, args) => {
      const memory = new InMemory();
      const call = { id: "1", name: said || "x", arguments: args };
      memory.add(
        [
          userMessage(said),
          { ...assistantMessage(said, [call]), model: args || "x" },
          toolMessage("1", said),
        ],
        "alice",
      );
      const [head = "", ...rest] = (await pageOf(memory)).split("<article");
      expect(tagsIn(`<article${rest.join("<article")}`).filter((tag) => !OURS.test(tag))).toEqual(
        [],
      );
      // The style is the only text in the head that is not escaped, and it is always the same.
      expect(tagsIn(head).length).toBe(17);
      expect(head).not.toMatch(/<script|onmouseover="/);
    }),
    { numRuns: 300 },
  );
});

test("every text is shown as it was written, but for what a terminal would obey", async () => {
  await fc.assert(
    fc.asyncProperty(text, async (result) => {
      const memory = new InMemory();
      memory.add(
        [assistantMessage("", [{ id: "1", name: "x", arguments: "" }]), toolMessage("1", result)],
        "alice",
      );
      const shown = /<article class="tool">\n.*\n(?:<pre>\n([^<]*)<\/pre>\n)?<\/article>/.exec(
        await pageOf(memory),
      );
      expect(unescaped(shown?.[1] ?? "")).toBe(sanitise(result));
    }),
  );
});

test("code blocks are set apart, and their fences are gone, even if one never ends", async () => {
  const memory = new InMemory();
  memory.add(assistantMessage("See:\n\n```ts\nif (a < b) x();\n```\nDone.\n```\nrest"), "alice");
  expect(await pageOf(memory)).toContain(
    '<div dir="auto">See:</div>\n<pre>\nif (a &#60; b) x();</pre>\n<div dir="auto">Done.</div>\n<pre>\nrest</pre>\n',
  );
});

test("the page loads and runs nothing, whatever it held", async () => {
  const memory = new InMemory();
  memory.add(userMessage("Hi"), "alice");
  const page = await pageOf(memory);
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/<script|<link|<img|<iframe|href=|src=|url\(|@import/);
});
