/** Waits for the signal that ends a long-running command. */

/** Resolves with the first SIGTERM or SIGINT. A second one ends the process at once: somebody means it. */
export function endSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first = true;
    const handle = (signal: NodeJS.Signals): void => {
      if (!first) process.exit(1);
      first = false;
      resolve(signal);
    };
    process.on('SIGTERM', handle);
    process.on('SIGINT', handle);
  });
}
