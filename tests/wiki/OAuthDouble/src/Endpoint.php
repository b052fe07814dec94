<?php
namespace MediaWiki\Extension\OAuthDouble;

use MediaWiki\Rest\Handler;
use MediaWiki\Rest\Response;
use MediaWiki\Rest\StringStream;

/** What the endpoints of a wiki's OAuth 2 have in common. */
abstract class Endpoint extends Handler {
	public function needsReadAccess() {
		return false;
	}

	public function needsWriteAccess() {
		return false;
	}

	protected function answer( int $status, array $body, string $type = 'application/json' ): Response {
		$response = $this->getResponseFactory()->create();
		$response->setStatus( $status );
		$response->setHeader( 'Content-Type', $type );
		$response->setHeader( 'Cache-Control', 'no-store' );
		$response->setBody( new StringStream( json_encode( $body, JSON_UNESCAPED_SLASHES ) ) );
		return $response;
	}

	protected function refuse( int $status, string $error, string $hint ): Response {
		return $this->answer( $status, [ 'error' => $error, 'error_description' => $error, 'hint' => $hint, 'message' => $error ] );
	}

	/** The trouble that a test ordered for this endpoint; null: none. */
	protected function trouble( string $endpoint ): ?Response {
		$fault = Store::setting( 'fault', [] );
		if ( ( $fault['at'] ?? '' ) !== $endpoint ) {
			return null;
		}
		usleep( (int)( ( $fault['delay'] ?? 0 ) * 1e6 ) );
		if ( !isset( $fault['status'] ) ) {
			return null;
		}
		$response = $this->answer( $fault['status'], [] );
		foreach ( $fault['headers'] ?? [] as $name => $value ) {
			$response->setHeader( $name, $value );
		}
		$response->setBody( new StringStream( $fault['body'] ?? '' ) );
		return $response;
	}

	/** One line a request in the wiki's directory, for tests that count. */
	protected function count( string $endpoint ): void {
		file_put_contents( getenv( 'CONDUCTD_WIKI' ) . "/requests.log", $endpoint . ' '
			. $this->getRequest()->getHeaderLine( 'User-Agent' ) . "\n", FILE_APPEND | LOCK_EX );
	}
}
