// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import JSON
internal import Platform

// `GET /api/v1/flags/KEY/verify`: whether a deployment keeps its success criteria, as JSON or Markdown.

struct VerifyRoutes: Sendable {
  private static let markdown: StaticString = "text/markdown; charset=utf-8"

  let service: VerifyService
  let worker: Worker

  func add(to router: inout Router) {
    router.get("/api/v1/flags/:key/verify") { answer($0) }
  }

  private func answer(_ exchange: Exchange) {
    do throws(RequestError) {
      let environment = try FlagService.checked(environment: exchange.query("environment"))
      let id = FlagService.FlagID(environment: environment, key: exchange.parameter(0))
      let isMarkdown = try VerifyRoutes.wantsMarkdown(exchange)
      let from = exchange.filter("from"), to = exchange.filter("to")
      exchange.answer(on: worker) {
        let report = try service.report(id, from: from, to: to, nowMs: Clock.wallMs()).json
        guard isMarkdown else { return Answers.json(Array(report.text.utf8)) }
        return Response(contentType: VerifyRoutes.markdown, body: Array(VerifyText.markdown(report).utf8))
          .with("Cache-Control", "no-store")
      }
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private static func wantsMarkdown(_ exchange: Exchange) throws(RequestError) -> Bool {
    switch exchange.filter("format") {
    case "markdown": true
    case "json": false
    case nil: exchange.header("Accept")?.lowercased().contains("text/markdown") ?? false
    case let other?: throw .badRequest("format: \(other.prefix(40)): must be json or markdown")
    }
  }
}
