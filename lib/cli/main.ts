#!/usr/bin/env node
import { processIo } from './io.js';
import { run } from './run.js';

// A reader that went away (`hawser devices | head`) is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await run(process.argv.slice(2), processIo());
