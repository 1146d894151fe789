// Hark's part of a service worker: shows what was pushed, and leads where it leads.
// In a file on the product's own address: importScripts("https://HOST/hark-sw.js").

self.addEventListener("push", (event) => {
  let said = {};
  try { said = event.data.json(); } catch { /* a push without words of ours */ }
  const shown = { body: said.body || "", tag: said.message, data: { url: said.url || "/" } };
  event.waitUntil(self.registration.showNotification(said.title || said.body || "", shown));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data?.url || "/", self.location.origin);
  if (!/^https?:$/.test(url.protocol)) return;
  const open = self.clients.matchAll({ type: "window" }).then((all) => {
    const same = all.find((one) => one.url === url.href);
    return same ? same.focus() : self.clients.openWindow(url.href);
  });
  event.waitUntil(open);
});
