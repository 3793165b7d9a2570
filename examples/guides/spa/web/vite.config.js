// The development server of Vite passes on the requests to the API, so that the browser sees one origin.
export default {
  server: {
    proxy: {
      // changeOrigin: false keeps the Host header, with which the API compares the Origin header.
      "/api": { target: process.env.API ?? "http://127.0.0.1:8080", changeOrigin: false },
    },
  },
};
