import type { Intent } from "./demo-request.js";
import { mentions } from "./sentences.js";

const SAMPLE = `# A heading

Some **bold**, some *italic* and some \`code\`, with a [link](https://example.com).

## A list

- one
- two
  - two and a half
1. first
2. second

> A quotation.

## A table

| User  | Session | Messages |
| :---- | :-----: | -------: |
| alice | default |        4 |
| bob   |  work   |       12 |

## Code

\`\`\`ts
const agent = new Agent({ model: new DemoModel() });
const output = await agent.run("My name is Alice", { userId: "alice" });
console.log(output.content);
\`\`\`
`;

/** Shows every kind of Markdown that a renderer handles. */
export const showMarkdown: Intent = ({ question }) =>
  mentions(question, "markdown") &&
  /\b(?:show|demo|test|render|sample)\b.*\bmarkdown\b|\bmarkdown\b.*\b(?:demo|test|sample)\b/i.test(
    question,
  )
    ? SAMPLE
    : undefined;
