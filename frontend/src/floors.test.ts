// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

/** Imports only ever point down: each floor names those it may use. */
const MAY_USE: Record<string, readonly string[]> = {
  main: ["map", "panels", "fleet", "server", "wire"],
  map: ["fleet", "wire"],
  panels: ["fleet", "wire"],
  fleet: ["wire"],
  server: ["wire"],
  wire: [],
};
const FRAMEWORK = /^(react|react-dom|@mantine|@tanstack)/;
const SRC = import.meta.dirname;
const IMPORTS = /(?:from|import)\s*\(?\s*"([^"]+)"/g;

function files(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

function floorOf(file: string): string {
  const [first = "", ...rest] = relative(SRC, file).split("/");
  return rest.length > 0 ? first : "main";
}

function imports(file: string): string[] {
  return [...readFileSync(file, "utf8").matchAll(IMPORTS)].map(([, target = ""]) => target);
}

describe("floors", () => {
  it.each(files(SRC).map((file) => [relative(SRC, file), file]))(
    "%s imports downwards",
    (_, file) => {
      const floor = floorOf(file);
      for (const target of imports(file)) {
        if (target.startsWith(".")) {
          const used = floorOf(resolve(dirname(file), `${target}.ts`));
          expect([floor, ...(MAY_USE[floor] ?? [])], target).toContain(used);
        } else if (floor !== "panels") {
          expect(target).not.toMatch(FRAMEWORK);
        }
      }
    },
  );
});
