// Drives an ONVIF camera with npm onvif.
//
// NODE_PATH=…/node_modules node onvif_npm.js PORT USER PASSWORD; ends with 0 if everything went as it should.
'use strict';
const assert = require('node:assert');
const { Cam } = require('onvif');

const [port, username, password] = process.argv.slice(2);
const open = (password) => new Promise((done, fail) => {
  const cam = new Cam({ hostname: '127.0.0.1', port: Number(port), username, password, timeout: 5000 }, (e) => (e ? fail(e) : done(cam)));
});
const near = (a, b) => assert.ok(Math.abs(a - b) < 0.01, `${a} is not ${b}`);

(async () => {
  const cam = await open(password);
  const ask = (name, ...args) => new Promise((done, fail) => cam[name](...args, (e, answer) => (e ? fail(e) : done(answer))));
  const idle = async () => {
    for (const end = Date.now() + 20000; ;) {
      const s = await ask('getStatus', {});
      if (s.moveStatus.panTilt === 'IDLE') return s.position;
      assert.ok(Date.now() < end, 'the camera moves for ever');
    }
  };
  assert.strictEqual((await ask('getDeviceInformation')).model, 'Simulated PTZ');
  assert.strictEqual((await ask('getServices', true)).length, 4);
  assert.deepStrictEqual(cam.profiles.map((p) => p.$.token), ['main', 'sub']);
  assert.strictEqual(cam.activeSource.ptz.name, 'PTZ');
  assert.ok((await ask('getStreamUri', { protocol: 'RTSP' })).uri.startsWith('rtsp://'));
  assert.ok(Object.keys(await ask('getNodes')).includes('node'));
  await ask('getConfigurations');
  await ask('absoluteMove', { x: 0.5, y: -0.25, zoom: 0.5 });
  near((await idle()).x, 0.5);
  await ask('setPreset', { presetName: 'stage' });
  const stage = (await ask('getPresets', {})).stage.$.token;
  await ask('continuousMove', { x: -0.5, y: 0, zoom: 0 });
  await new Promise((r) => setTimeout(r, 200));
  await ask('stop', { panTilt: true, zoom: true });
  assert.ok((await idle()).x < 0.5);
  await ask('gotoPreset', { preset: stage });
  near((await idle()).x, 0.5);
  await ask('gotoHomePosition', {});
  near((await idle()).x, 0);
  await ask('removePreset', { presetToken: stage });
  // It connects before it shows the password for the first time.
  const stranger = await open('wrong').catch(() => null);
  if (stranger) await assert.rejects(new Promise((done, fail) => stranger.getDeviceInformation((e, a) => (e ? fail(e) : done(a)))));
  console.log('ok');
  process.exit(0);
})().catch((e) => { console.error(e); process.exit(1); });
