// Says which engine serves, or why none does. HAWSER_OPENSSL stands for a Node with another OpenSSL inside.
import { selectEngine } from 'hawser';

const openssl = process.env.HAWSER_OPENSSL;
if (openssl !== undefined)
  Object.defineProperty(process, 'versions', { value: { ...process.versions, openssl: openssl || undefined } });
try {
  console.log(selectEngine().name);
} catch (error) {
  console.log(`${error.code}: ${error.message}`);
}
