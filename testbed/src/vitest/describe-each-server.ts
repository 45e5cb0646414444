import { describe, inject, test } from "vitest";
import type { TestServer } from "./test-server.ts";

/**
 * Declares the same claims for each server of the global set-up. Where a server should be there and is not, its claims fail as one;
 * where a machine may lack it, they are skipped with the reason in the title.
 */
export function describeEachServer(claims: (server: TestServer) => void): void {
  for (const server of inject("postgresServers")) {
    const { name, absence } = server;
    const isSkipped = absence?.isFailure === false;
    const declare = absence?.isFailure === true ? declareAbsence : claims;
    describe.skipIf(isSkipped)(`${name}${isSkipped ? ` (skipped: ${absence.reason})` : ""}`, () => {
      declare(server);
    });
  }
}

function declareAbsence({ absence }: TestServer): void {
  test("is there to be tested", () => {
    throw new Error(`${absence?.reason}\n${absence?.advice}`);
  });
}
