import { describe, expect, it } from "vitest";
import { createPalette, USER_COLOURS, userColour } from "../../../src/cli/render/colour.js";

const pipe = { isTTY: false };
const terminal = (depth: number) => ({ isTTY: true, getColorDepth: () => depth });

function level(stream: object, env: NodeJS.ProcessEnv, colorFlag = true): number {
  return createPalette(stream, { env, colorFlag }).level;
}

describe("createPalette", () => {
  it("uses the colours the stream supports", () => {
    expect([1, 4, 8, 24].map((depth) => level(terminal(depth), {}))).toEqual([0, 1, 2, 3]);
    expect(level(pipe, {})).toBe(0);
    expect(level({}, {})).toBe(0);
  });

  it("puts --no-color first, then NO_COLOR, then FORCE_COLOR, then TERM=dumb, then the stream", () => {
    const all = { FORCE_COLOR: "3", TERM: "dumb" };
    expect(level(terminal(24), all, false)).toBe(0);
    expect(level(terminal(24), { ...all, NO_COLOR: "1" })).toBe(0);
    expect(level(terminal(24), all)).toBe(3);
    expect(level(terminal(24), { TERM: "dumb" })).toBe(0);
    expect(level(terminal(24), { TERM: "xterm" })).toBe(3);
  });

  it("obeys NO_COLOR with any value, even 0, unless it is empty", () => {
    expect(level(terminal(8), { NO_COLOR: "0" })).toBe(0);
    expect(level(terminal(8), { NO_COLOR: "" })).toBe(2);
  });

  it("reads FORCE_COLOR as a level, as off, or as at least 16 colours", () => {
    const forced = (value: string, stream: object = pipe) => level(stream, { FORCE_COLOR: value });
    expect(["0", "false", "1", "2", "3", "true", "yes", ""].map((each) => forced(each))).toEqual([
      0, 0, 1, 2, 3, 1, 1, 0,
    ]);
    expect(forced("1", terminal(24))).toBe(1);
    expect(forced("true", terminal(24))).toBe(3);
  });

  it("does not let Node apply the variables again", () => {
    const seen: object[] = [];
    const stream = { isTTY: true, getColorDepth: (env?: object) => seen.push(env ?? {}) + 3 };
    level(stream, { FORCE_COLOR: "", NO_COLOR: "" });
    expect(seen).toEqual([{ FORCE_COLOR: undefined, NO_COLOR: undefined }]);
  });

  it("gives stdout and stderr separate levels", () => {
    const [out, error] = [
      createPalette(pipe, { env: {} }),
      createPalette(terminal(8), { env: {} }),
    ];
    expect([out.bold("x"), error.bold("x")]).toEqual(["x", "\x1b[1mx\x1b[22m"]);
  });
});

describe("userColour", () => {
  const palette = createPalette(terminal(8), { env: {} });

  it("is the same for a user every time, and changes nothing without colour", () => {
    expect(userColour("alice", palette)("alice")).toBe(userColour("alice", palette)("alice"));
    expect(userColour("alice", palette)("alice")).toContain("alice\x1b[39m");
    expect(userColour("alice", createPalette(pipe, { env: {} }))("alice")).toBe("alice");
  });

  it("differs between users seen together, as long as there are colours", () => {
    const users = USER_COLOURS.map((_, index) => `person ${index}`);
    const fresh = createPalette(terminal(8), { env: {} });
    const colours = () => users.map((user) => userColour(user, fresh)("x"));
    const first = colours();
    expect(new Set(first).size).toBe(USER_COLOURS.length);
    expect(colours()).toEqual(first);
  });

  it("uses all its colours, and each about equally often", () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < 1000; index += 1) {
      const colour = userColour(`user-${index}`, createPalette(terminal(8), { env: {} }))("x");
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
    expect(counts.size).toBe(USER_COLOURS.length);
    expect(Math.min(...counts.values())).toBeGreaterThan(1000 / USER_COLOURS.length / 3);
  });

  it("has a contrast of at least 3:1 on black and on white (WCAG)", () => {
    for (const colour of USER_COLOURS) {
      const luminance = luminanceOf(colour);
      expect((luminance + 0.05) / 0.05, `${colour} on black`).toBeGreaterThanOrEqual(3);
      expect(1.05 / (luminance + 0.05), `${colour} on white`).toBeGreaterThanOrEqual(3);
    }
  });
});

/** Relative luminance of one of the 216 colours of the 6 by 6 by 6 cube. */
function luminanceOf(colour: number): number {
  const cube = colour - 16;
  const [red, green, blue] = [36, 6, 1].map((step) => {
    const value = Math.floor(cube / step) % 6;
    const channel = (value === 0 ? 0 : 55 + 40 * value) / 255;
    return channel <= 0.03928 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
