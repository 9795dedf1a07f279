import { readFile } from 'node:fs/promises';
import { selectEngine } from '../engine/select.js';
import { HawserError } from '../errors.js';
import { UsageError, command } from './command.js';
import { isBlob, isStateFile, reportBlob, reportStateFile } from './inspect/blob.js';
import { isCapture } from './inspect/capture.js';
import { reportCapture } from './inspect/links.js';
import { reportPairing } from './inspect/pairing.js';
import type { Report } from './inspect/report.js';
import { json, printable } from './io.js';

/** Tells by the first bytes what a file is. */
function report(bytes: Buffer, showSecrets: boolean): Report {
  if (isCapture(bytes)) return reportCapture(bytes);
  if (isBlob(bytes)) return reportBlob(bytes, showSecrets);
  if (isStateFile(bytes)) return reportStateFile(bytes, showSecrets);
  return reportPairing(bytes, showSecrets, selectEngine());
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`${file}: ${code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`}`, {
      cause: error,
    });
  }
}

export const inspect = command({
  name: 'inspect',
  summary: 'show a pairing, a slot, a saved state or a capture',
  usage: `FILE... [--json] [--show-secrets]

Shows what a file says: a pairing (JSON or binary), a device's flash slot (its ticket chain), a saved state (as such or
in its file), or a capture (pcap or pcapng) with hawser links: messages, records, lengths, and what can be said
without keys.

  --json          data with a version
  --show-secrets  print secrets as well`,
  options: { json: { type: 'boolean' }, 'show-secrets': { type: 'boolean' } },
  positionals: [1, 1000],
  async run(values, files, io) {
    const reports: object[] = [];
    for (const file of files) {
      const bytes = await read(file);
      try {
        const { data, text } = report(bytes, values['show-secrets'] === true);
        if (values.json) reports.push({ file, ...data });
        else io.out(`${io.colors.bold(printable(file))}\n${text}\n`);
      } catch (error) {
        throw error instanceof HawserError
          ? new HawserError(error.code, `${file}: ${error.message}`, { cause: error })
          : error;
      }
    }
    if (values.json) io.out(json({ reports }));
    return 0;
  },
});
