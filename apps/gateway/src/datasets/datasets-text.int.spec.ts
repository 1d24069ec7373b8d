import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestGateway, type GatewayUnderTest } from '../../test/gateway-harness.js';

describe('text that the catalog can not keep', () => {
  let gateway: GatewayUnderTest;

  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  const inline = (more: object) => ({ label: 'A', source: { inline: { format: 'csv', content: 'a\n1', ...more } } });
  const refusal = (pointer: string) => ({
    ...{ status: 400, code: 'request.invalid' },
    errors: [{ pointer, message: expect.stringContaining('NUL') }],
  });

  describe.each([
    ['NUL', '\0'],
    ['half of a character', '\ud800'],
  ])('%s', (_, bad) => {
    it.each([
      ['/label', { ...inline({}), label: `a${bad}` }],
      ['/table_name', { ...inline({}), table_name: `a${bad}` }],
      ['/source/inline/options/null_strings/0', inline({ options: { null_strings: [bad] } })],
      ['/source/inline/options/delimiter', inline({ options: { delimiter: bad } })],
      ['/source/inline/options/quote', inline({ options: { quote: bad } })],
      ['/source/inline/options/comment', inline({ options: { comment: bad } })],
      ['/source/inline/options/date_format', inline({ options: { date_format: bad } })],
      ['/source/inline/columns', inline({ columns: { [bad]: { type: 'INTEGER' } } })],
      ['/source/inline/columns/a/type', inline({ columns: { a: { type: bad } } })],
    ])('is refused at %s of a new dataset', async (pointer, body) => {
      const answer = await gateway.send('POST', '/v1/datasets', { json: body });
      await expect(answer.json()).resolves.toMatchObject(refusal(pointer));
    });

    it('is refused at the label of a dataset', async () => {
      const answer = await gateway.send('PUT', '/v1/datasets/data01jd3x9k2v7q8m4n5p6r7s8t9w', { json: { label: bad } });
      await expect(answer.json()).resolves.toMatchObject(refusal('/label'));
    });
  });

  it.each(['label', 'table_name'])('is refused in the parameter %s of the list', async (name) => {
    const answer = await gateway.send('GET', `/v1/datasets?${name}=a%00b`);
    await expect(answer.json()).resolves.toMatchObject(refusal(`/${name}`));
  });

  it('is not made up: half a character in inline content, and bytes that are no UTF-8, are refused', async () => {
    const half = await gateway.send('POST', '/v1/datasets', { json: inline({ content: 'a\n\ud800' }) });
    await expect(half.json()).resolves.toMatchObject({ errors: [{ pointer: '/source/inline/content' }] });
    const body = Buffer.from('{"label":"süd"}', 'latin1');
    const headers = { 'content-type': 'application/json' };
    const latin = await gateway.send('PUT', '/v1/datasets/data01jd3x9k2v7q8m4n5p6r7s8t9w', { body, headers });
    await expect(latin.json()).resolves.toMatchObject({ status: 400, code: 'request.malformed' });
  });
});
