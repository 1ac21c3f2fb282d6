import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { PortsProvider } from "./context";
import type { Ports } from "./ports";
import { makeRouter } from "./routes";
import { theme } from "./theme";

const FRESH_MS = 30_000;

function isWorthRetrying(failures: number, error: Error): boolean {
  const status = "status" in error ? Number(error.status) : 0;
  return failures < 2 && (status === 0 || status >= 500);
}

/** Draws the console into an element of the shell page. */
export function mountConsole(element: HTMLElement, ports: Ports): void {
  setNonce(ports.nonce);
  const router = makeRouter();
  const client = new QueryClient({
    defaultOptions: { queries: { staleTime: FRESH_MS, retry: isWorthRetrying } },
  });
  createRoot(element).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => ports.nonce}>
        <QueryClientProvider client={client}>
          <PortsProvider ports={ports}>
            <RouterProvider router={router} />
          </PortsProvider>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
