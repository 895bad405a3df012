// SPDX-License-Identifier: Apache-2.0

internal import Assets
internal import HTTP
internal import Platform

// The page: embedded files as responses that are built once and queued without copying, or files of a folder for those
// who change them.

struct PageRoutes: Sendable {
  private static let fileBytesMax = 4 << 20

  // Only this server's own files run, and nobody may frame them: a page that can roll a flag back must not be clicked
  // through somebody else's.
  private static let headers = [
    ("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-cache"),
  ]

  /// Serve from here instead of the embedded copy.
  let folder: String?

  func add(to router: inout Router) {
    // Where the links of alerts lead, as in Prometheus.
    let page = PreparedResponse(Response(status: 302).with("Location", "/"))
    router.get("/graph") { $0.respond(page) }
    for asset in Asset.all() {
      if let folder, let name = asset.path == "/" ? "index.html" : PageRoutes.name(of: asset) {
        let contentType = asset.contentType
        router.get(asset.path) { $0.respond(PageRoutes.file(folder + "/" + name, contentType)) }
      } else {
        add(asset, to: &router)
      }
    }
  }

  private func add(_ asset: Asset, to router: inout Router) {
    let tag = EntityTag.text(of: asset.bytes)
    let found = PreparedResponse(PageRoutes.response(asset.bytes, asset.contentType).with("ETag", tag))
    let notModified = PreparedResponse(Response(status: 304).with("ETag", tag))
    router.get(asset.path) { exchange in
      let isHeld = exchange.withHeader("If-None-Match") { EntityTag.isListed(tag, in: $0) } ?? false
      exchange.respond(isHeld ? notModified : found)
    }
  }

  /// The name in `web/`; nil for what comes from elsewhere, such as dygraphs.
  private static func name(of asset: Asset) -> String? {
    let name = asset.path.dropFirst("/assets/".count)
    return name.hasPrefix("dygraph.") ? nil : String(name)
  }

  private static func file(_ path: String, _ contentType: String) -> Response {
    do throws(FileError) {
      return response(try Files.read(path, bytesMax: fileBytesMax), contentType)
    } catch {
      return Answers.error(404, "\(error)")
    }
  }

  private static func response(_ bytes: [UInt8], _ contentType: String) -> Response {
    headers.reduce(Response(body: bytes).with("Content-Type", contentType)) { $0.with($1.0, $1.1) }
  }
}
