// SPDX-License-Identifier: Apache-2.0

internal import Assets
internal import HTTP
internal import Platform
internal import Synchronization

// The page: embedded files as responses that are built once, when asked for, and queued without copying, or files of a folder for those
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
    let answers = AssetAnswers(asset)
    router.get(asset.path) { answers.respond(to: $0) }
  }

  /// The answers of an embedded file, built for the first who asks: where nobody opens the page it takes no memory.
  private final class AssetAnswers: Sendable {
    private struct Built {
      let tag: String
      let found: PreparedResponse
      let notModified: PreparedResponse
    }

    private let asset: Asset
    private let built = Mutex<Built?>(nil)

    init(_ asset: Asset) {
      self.asset = asset
    }

    func respond(to exchange: Exchange) {
      let built = built.withLock { built in
        let ready = built ?? build()
        built = ready
        return ready
      }
      let isHeld = exchange.withHeader("If-None-Match") { EntityTag.isListed(built.tag, in: $0) } ?? false
      exchange.respond(isHeld ? built.notModified : built.found)
    }

    private func build() -> Built {
      let bytes = asset.bytes
      let tag = EntityTag.text(of: bytes)
      return Built(
        tag: tag, found: PreparedResponse(PageRoutes.response(bytes, asset.contentType).with("ETag", tag)),
        notModified: PreparedResponse(Response(status: 304).with("ETag", tag)))
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
