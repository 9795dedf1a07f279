/** Prints the engine that selectEngine picks, or the error. argv: the option, or nothing. LIB: where lib/ is. */

const { selectEngine } = (await import(process.env.LIB ?? '../../../lib/engine/select.js')) as {
  selectEngine: (options: { engine?: string }) => { name: string };
};
if (process.env.RUNTIME !== undefined)
  Object.defineProperty(process, 'versions', { value: { ...process.versions, [process.env.RUNTIME]: '1.0.0' } });
const option = process.argv[2];
try {
  const options = option === undefined ? {} : { engine: option };
  const engine = selectEngine(options);
  const again = selectEngine(options);
  console.log(JSON.stringify({ name: engine.name, same: engine.name === again.name }));
} catch (error) {
  const { code, message, cause } = error as { code?: string; message: string; cause?: unknown };
  console.log(JSON.stringify({ code, message, cause: cause instanceof Error }));
}
