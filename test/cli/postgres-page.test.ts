import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { openMemory } from "../../src/memory/open-memory.js";
import { userMessage } from "../../src/messages.js";
import { Cli } from "../support/cli.js";
import { temporaryFile } from "../support/memory-file.js";
import { asRole, newDatabase, newRole } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

const server = await postgresUrl();

it.skipIf(server === undefined)(
  "the commands of docs/postgres.md do what the page says",
  async () => {
    const [database, empty] = [
      await newDatabase(server as string),
      await newDatabase(server as string),
    ];
    const role = await newRole(server as string);
    const file = temporaryFile();
    const memory = await openMemory(`sqlite:${file}`);
    await memory.add(userMessage("hi"), "alice");
    await memory.close();
    const commands = readFileSync("docs/postgres.md", "utf8")
      .split("\n")
      .filter((line) => line.startsWith("agno-chat ") && !line.includes(" serve "))
      .map((line) =>
        line
          .replace("postgres://ADMIN@HOST/chat", database)
          .replace("postgres://ADMIN@HOST/empty", empty)
          .replace("postgres://chat_app@HOST/chat", asRole(database, role))
          .replace("sqlite:chat.db", `sqlite:${file}`)
          .replace("chat_app", role.name),
      );
    expect(commands).toHaveLength(5);
    for (const command of commands) {
      const { code, stderr } = await new Cli().run(command.split(" ").slice(1));
      expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: "" });
    }
    const copied = await openMemory(asRole(database, role));
    expect(await copied.size("alice")).toBe(1);
    await copied.close();
  },
);
