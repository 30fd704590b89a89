import { expect, it } from "vitest";
import { Cli } from "../support/cli.js";
import { ModelServer, type Reply, streamedCalls, streamedText } from "../support/model-server.js";

const PROCESSES = 5;

/** Calls `remember`, and ends the replies only when every process has stored its note. */
function rememberingTogether(): Reply {
  const waiting: (() => void)[] = [];
  return async (response, request) => {
    const { role, content } = request.body.messages.at(-1);
    if (role !== "tool")
      return streamedCalls({ name: "remember", arguments: { text: content } })(response, request);
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === PROCESSES) for (const go of waiting) go();
    });
    return streamedText("Remembered.")(response, request);
  };
}

it("five processes that remember at once keep five notes", async () => {
  const server = await ModelServer.start(rememberingTogether());
  const cli = new Cli({ OPENAI_BASE_URL: server.url, AGNO_CHAT_MODEL: "m" });
  const texts = Array.from({ length: PROCESSES }, (_, index) => `note ${index}`);
  const results = await Promise.all(
    texts.map((text) => cli.spawn(["ask", text, "--tools", "notes", "--no-stdin"])),
  );
  expect(results.map(({ code, stdout }) => `${code} ${stdout}`)).toEqual(
    texts.map(() => "0 Remembered.\n"),
  );
  const { state } = JSON.parse((await cli.run(["export"])).stdout);
  expect(state.default.notes.toSorted()).toEqual(texts);
  await server.close();
}, 30_000);
