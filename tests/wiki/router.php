<?php
// Router of `php -S`: entry points run, files of the skin and the resources are served, everything else is
// index.php. Nothing else of the directory can be reached.
$path = parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH );
$root = $_SERVER['DOCUMENT_ROOT'];
if ( preg_match( '#^/(resources|skins)/.*\.(png|svg|gif|jpe?g|css|js|ico|woff2?)$#', $path ) && !str_contains( $path, '..' )
	&& is_file( $root . $path ) ) {
	return false;
}
$entry = 'index';
if ( preg_match( '#^/(index|api|load|rest)\.php(/.*)?$#', $path, $match ) ) {
	$entry = $match[1];
	if ( isset( $match[2] ) ) {
		$_SERVER['PATH_INFO'] = urldecode( $match[2] );
	}
}
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = "/$entry.php";
$_SERVER['SCRIPT_FILENAME'] = "$root/$entry.php";
chdir( $root );
require "$root/$entry.php";
return true;
